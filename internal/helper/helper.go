// Package helper is how picdayd asks root's helper for what only root can do: the words
// that both sides use, their limits, and Ask. It has no code that does any of it.
//
// One connection to a socket carries one request and its answer, both JSON. picdayd sends
// the request and ends its half of the connection; the helper answers and closes.
package helper

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A Verb is one of the things that can be asked for.
type Verb string

// The verbs. There is none that removes an account, or that names a file by its path.
const (
	JobAdd         Verb = "job.add"
	JobRemove      Verb = "job.remove" // one that never had a photo
	TrashRestore   Verb = "trash.restore"
	AccountAdd     Verb = "account.add"
	LoginAdd       Verb = "login.add"
	LoginUntil     Verb = "login.until"
	LoginRemove    Verb = "login.remove"
	AccountPasswd  Verb = "account.passwd"
	AccountKey     Verb = "account.key"
	AccountAllow   Verb = "account.allow"
	AccountDisable Verb = "account.disable"
	AccountEnable  Verb = "account.enable"
)

// Verbs are all there are.
var Verbs = []Verb{JobAdd, JobRemove, TrashRestore, AccountAdd, LoginAdd, LoginUntil, LoginRemove, AccountPasswd, AccountKey, AccountAllow, AccountDisable, AccountEnable}

// Never is the last day of a log-in that has none.
const Never = "never"

// A Part is one of the helper's two units, with its own socket and its own rights.
type Part string

// The parts.
const (
	Files    Part = "files"    // jobs and the trash: writes below upload_dir and in the catalogue
	Accounts Part = "accounts" // accounts and log-ins: changes Unix users and sshd's configuration
)

// Part is the one that does the verb, "" for what is no verb.
func (v Verb) Part() Part {
	switch {
	case !slices.Contains(Verbs, v):
		return ""
	case strings.HasPrefix(string(v), "account."), strings.HasPrefix(string(v), "login."):
		return Accounts
	}
	return Files
}

// Socket is the name of a part's socket in the helper's directory.
func (p Part) Socket(dir string) string { return filepath.Join(dir, string(p)+".sock") }

// Limits of one exchange.
const (
	MaxRequest = 4 << 10          // bytes
	MaxAnswer  = 64 << 10         // bytes
	SendWithin = 5 * time.Second  // a request is complete, or refused
	Fresh      = 60 * time.Second // between At and the arrival of the request
	answerIn   = 2 * time.Minute  // many accounts at once take their turns
)

// A Request is what an operator wants.
type Request struct {
	ID       string   `json:"id"` // random: the same request is done once
	At       int64    `json:"at"` // when it was made, in milliseconds since 1970
	Verb     Verb     `json:"verb"`
	Operator string   `json:"operator"`           // who has logged in to the pages
	Password string   `json:"password,omitempty"` // his own, typed again, for the part Accounts
	Account  string   `json:"account"`            // always
	Job      string   `json:"job,omitempty"`      // job.*
	Photo    int64    `json:"photo,omitempty"`    // trash.restore: its row
	Layout   string   `json:"layout,omitempty"`   // account.add
	Login    string   `json:"login,omitempty"`    // login.*; passwd and key of a log-in
	Until    string   `json:"until,omitempty"`    // login.add and until: its last day, YYYY-MM-DD; until: or never
	Key      string   `json:"key,omitempty"`      // public keys, one a line
	Allow    []string `json:"allow,omitempty"`    // addresses and networks
}

// New is a request for now.
func New(verb Verb, operator, account string) Request {
	return Request{ID: rand.Text(), At: time.Now().UnixMilli(), Verb: verb, Operator: operator, Account: account}
}

// A Why is the kind of a refusal.
type Why string

// The kinds.
const (
	Invalid  Why = "invalid"  // the request cannot be understood, or what it asks for cannot be
	NotFound Why = "notfound" // no such account, job, photo or log-in
	NotGiven Why = "notgiven" // web.may does not list it, or the operator may not
	Password Why = "password" // it is not the operator's
	TooOften Why = "toooften" // come again later
	Refused  Why = "refused"  // it would lose or expose something
	Failed   Why = "failed"   // what went wrong is in the journal
)

// An Answer says what was done, or why nothing was.
type Answer struct {
	Done     []string `json:"done,omitempty"`     // sentences
	Password string   `json:"password,omitempty"` // of the account or log-in, shown once
	Why      Why      `json:"why,omitempty"`      // "" = it is done
	Sentence string   `json:"sentence,omitempty"` // for the operator
}

// A RefusalError is an answer that refuses.
type RefusalError struct {
	Why      Why
	Sentence string
}

func (e *RefusalError) Error() string { return e.Sentence }

// ErrNotRunning is returned where no helper listens.
var ErrNotRunning = errors.New("root's helper is not running: systemctl start picday-helper.socket picday-account-helper.socket")

// Ask sends a request to the part in dir that does its verb. If that refuses the error is
// a *RefusalError, and nothing was changed unless its Why is Failed.
func Ask(ctx context.Context, dir string, r Request) (a Answer, err error) {
	part := r.Verb.Part()
	if part == "" {
		return a, fmt.Errorf("the helper has no verb %q", r.Verb)
	}
	text, err := json.Marshal(r)
	if err != nil {
		return a, err
	}
	if len(text) > MaxRequest {
		return a, &RefusalError{Invalid, fmt.Sprintf("This is too long: more than %d bytes cannot be sent at once.", MaxRequest)}
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", part.Socket(dir))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return a, ErrNotRunning
	case err != nil:
		return a, fmt.Errorf("ask root's helper: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(answerIn)) // fails only for a closed connection
	answer, err := exchange(conn.(*net.UnixConn), text)
	if err == nil {
		err = json.Unmarshal(answer, &a)
	}
	if err != nil {
		return a, fmt.Errorf("the answer of root's helper: %w", errors.Join(err, ctx.Err()))
	}
	if a.Why != "" {
		return Answer{}, &RefusalError{a.Why, a.Sentence}
	}
	return a, nil
}

// exchange sends all there is to send and reads the answer. A helper that refuses before
// it has read everything has answered all the same.
func exchange(conn *net.UnixConn, request []byte) (answer []byte, err error) {
	_, werr := conn.Write(request)
	if werr == nil {
		werr = conn.CloseWrite()
	}
	answer, err = io.ReadAll(io.LimitReader(conn, MaxAnswer))
	if len(answer) > 0 {
		return answer, nil
	}
	if err = errors.Join(werr, err); err == nil {
		err = io.ErrUnexpectedEOF
	}
	return nil, err
}
