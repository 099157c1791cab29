package contract

import (
	"encoding/json"
	"time"

	"picday/store"
)

// A Notice is one row of events list ("event" to users). Webhooks get its type, time and data too.
type Notice struct {
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	At         time.Time       `json:"at"`
	Account    string          `json:"account,omitempty"` // absent: of the machine
	Message    string          `json:"message"`
	Data       json.RawMessage `json:"data"`
	Deliveries []Delivery      `json:"deliveries"`
}

// A Delivery is what became of an event at one receiver.
type Delivery struct {
	To    string     `json:"to"`    // mail:OPERATOR, webhook:NAME
	State string     `json:"state"` // waiting, delivered, given-up
	At    time.Time  `json:"at"`    // since when
	Tries int        `json:"tries"` // that failed, while it waits
	Error string     `json:"error,omitempty"`
	Next  *time.Time `json:"next_at,omitempty"`
}

// NewNotice shows a notice.
func NewNotice(n store.Notice, deliveries []store.Delivery) Notice {
	e := Notice{ID: n.Key, Type: n.Kind, At: n.At, Account: n.Account, Message: n.Message, Data: n.Data, Deliveries: []Delivery{}}
	for _, d := range deliveries {
		v := Delivery{To: d.Receiver.String(), State: string(d.State), At: d.At, Tries: d.Tries, Error: d.Error}
		if !d.Due.IsZero() {
			v.Next = &d.Due
		}
		e.Deliveries = append(e.Deliveries, v)
	}
	return e
}

// Tried tells whether each receiver has it, or has failed once.
func (e Notice) Tried() bool {
	for _, d := range e.Deliveries {
		if d.State == string(store.Waiting) && d.Tries == 0 {
			return false
		}
	}
	return true
}

// Undelivered counts the receivers that do not have it.
func (e Notice) Undelivered() (n int) {
	for _, d := range e.Deliveries {
		if d.State != string(store.Delivered) {
			n++
		}
	}
	return n
}
