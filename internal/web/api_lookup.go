package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"

	"picday/internal/contract"
	"picday/store"
)

// maxLookup is how many people can be looked up at once.
const maxLookup = 1000

// apiLookup finds the pictures of many people of one account, for a till that opens or a
// program that prints cards.
func apiLookup(w http.ResponseWriter, v *visit) error {
	q, err := v.parameters("account")
	if err != nil {
		return err
	}
	account, err := v.oneAccount(q.Get("account"))
	if err != nil {
		return err
	}
	ids, err := readIDs(v.Request)
	if err != nil {
		return err
	}
	all, err := v.view.People(v.Context(), account, ids)
	if errors.Is(err, store.ErrNotFound) {
		err = noAccount(account)
	}
	if err != nil {
		return err
	}
	has := map[string]bool{}
	for _, p := range all {
		has[p.Person] = true
	}
	missing := []string{}
	for _, id := range ids {
		if !has[id] {
			has[id] = true // once
			missing = append(missing, id)
		}
	}
	return tell(w, v, struct {
		Photos  []contract.Photo `json:"photos"`
		Missing []string         `json:"missing"`
	}{shown(all, v.showPhoto), missing})
}

// oneAccount is the account that is asked about. A token of all accounts has to say which:
// a person's ID says nothing without it.
func (v *visit) oneAccount(name string) (string, error) {
	if name != "" {
		return name, nil
	}
	names, err := v.view.AccountNames(v.Context())
	if err == nil && len(names) != 1 {
		err = refuse(http.StatusBadRequest, "Say of which account the IDs are, with ?account=NAME.")
	}
	if err != nil {
		return "", err
	}
	return names[0], nil
}

// readIDs reads the body of a question for many people.
func readIDs(r *http.Request) ([]string, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, refuse(http.StatusUnsupportedMediaType, "Send JSON, with Content-Type: application/json.")
	}
	var body struct {
		IDs []string `json:"ids"`
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	err := dec.Decode(&body)
	if err == nil {
		if _, end := dec.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, err
	case err != nil, len(body.IDs) == 0, slices.Contains(body.IDs, ""):
		return nil, refuse(http.StatusBadRequest, `The body is {"ids": ["201212012", …]}, with at least one ID, and nothing else.`)
	case len(body.IDs) > maxLookup:
		return nil, refuse(http.StatusBadRequest, "At most "+strconv.Itoa(maxLookup)+" people can be looked up at once.")
	}
	return body.IDs, nil
}
