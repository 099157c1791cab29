package web

import (
	"strconv"

	"picday/store"
)

// keyParams writes a place in an order into an address, keyFrom reads it.
func keyParams(k store.Key) []string {
	at := k.Text
	if at == "" {
		at = strconv.FormatInt(k.Number, 10)
	}
	return []string{"after", at, "id", strconv.FormatInt(k.ID, 10)}
}

func keyFrom(v *visit, o store.Order) (k store.Key) {
	id, err := strconv.ParseInt(v.FormValue("id"), 10, 64)
	if err != nil {
		return k
	}
	if o == store.ByFile || o == store.ByPerson {
		return store.Key{Text: v.FormValue("after"), ID: id}
	}
	n, err := strconv.ParseInt(v.FormValue("after"), 10, 64)
	if err != nil {
		return k
	}
	return store.Key{Number: n, ID: id}
}
