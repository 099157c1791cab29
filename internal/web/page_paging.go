package web

import (
	"strconv"

	"picday/store"
)

// pageLinks are the addresses of the other pages of a list, "" for those that there are not.
type pageLinks struct{ First, Prev, Next, Last string }

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
	if o.IsText() {
		return store.Key{Text: v.FormValue("after"), ID: id}
	}
	n, err := strconv.ParseInt(v.FormValue("after"), 10, 64)
	if err != nil {
		return k
	}
	return store.Key{Number: n, ID: id}
}

// atPage is what of the parameters of an address says at which page of a list it is.
func atPage(change ...string) []string {
	return append([]string{"after", "", "id", "", "back", "", "at", ""}, change...)
}

// cut leaves of a list, which was asked for one row more than a page has, those of the
// page, and tells whether there are others before and after it. from tells whether it
// was asked for from a row on, back whether up to that row, or up to the end.
func cut[T any](all []T, size int, from, back bool) (page []T, before, after bool) {
	more := len(all) > size
	switch {
	case more && back:
		all = all[1:]
	case more:
		all = all[:size]
	}
	if back {
		return all, more, from
	}
	return all, from, more
}

// turn reads a page of photos: those after want.After, or with want.Backwards those before
// it, and want.Limit of them, if it is set. here makes the address of the list with some parameters changed.
func (v *visit) turn(want store.PhotoQuery, here func(change ...string) string) (photos []store.Photo, p pageLinks, err error) {
	size := want.Limit
	if size == 0 {
		size = photosPerPage
	}
	want.Limit = size + 1
	if photos, err = v.view.Photos(v.Context(), want); err != nil {
		return nil, p, err
	}
	if want.Backwards && len(photos) <= size { // it is the first page: show all of that
		want.Backwards, want.After = false, store.Key{}
		if photos, err = v.view.Photos(v.Context(), want); err != nil {
			return nil, p, err
		}
	}
	photos, before, after := cut(photos, size, want.After.ID != 0, want.Backwards)
	if before {
		p.First = here(atPage()...)
	}
	if after {
		p.Last = here(atPage("back", "1")...)
	}
	if len(photos) > 0 && before {
		p.Prev = here(atPage(append(keyParams(photos[0].Key(want.Order)), "back", "1")...)...)
	}
	if len(photos) > 0 && after {
		p.Next = here(atPage(keyParams(photos[len(photos)-1].Key(want.Order))...)...)
	}
	return photos, p, nil
}

// around makes the page begin so that the photo in the parameter at is on it, and
// returns that photo. It changes nothing if the photo is on the first page anyway, or not
// in the list: isIn says so.
func (v *visit) around(want *store.PhotoQuery, isIn func(store.Photo) bool) error {
	id, err := strconv.ParseInt(v.FormValue("at"), 10, 64)
	if err != nil {
		return nil
	}
	p, err := v.view.Photo(v.Context(), id)
	if err != nil || !isIn(p) {
		return nil //nolint:nilerr // the list is shown from its beginning
	}
	back := *want
	back.After, back.Backwards, back.Limit = p.Key(want.Order), true, photosPerPage/2+1
	before, err := v.view.Photos(v.Context(), back)
	if err == nil && len(before) > photosPerPage/2 {
		want.After = before[0].Key(want.Order)
	}
	return err
}

// turnByID reads a page of a list in the order of an ID, which the address has as the last
// one of the page before. here makes the address of the list, at its beginning.
func turnByID[T any](v *visit, size int, id func(T) int64, here func(change ...string) string, read func(beyond int64, back bool, limit int) ([]T, error)) (rows []T, p pageLinks, err error) {
	beyond, _ := strconv.ParseInt(v.FormValue("after"), 10, 64)
	beyond, back := max(0, beyond), v.FormValue("back") != ""
	if rows, err = read(beyond, back, size+1); err != nil {
		return nil, p, err
	}
	if back && len(rows) <= size { // it is the first page: show all of that
		beyond, back = 0, false
		if rows, err = read(0, false, size+1); err != nil {
			return nil, p, err
		}
	}
	rows, before, after := cut(rows, size, beyond != 0, back)
	if before {
		p.First = here()
	}
	if after {
		p.Last = here("back", "1")
	}
	if before && len(rows) > 0 {
		p.Prev = here("after", strconv.FormatInt(id(rows[0]), 10), "back", "1")
	}
	if after && len(rows) > 0 {
		p.Next = here("after", strconv.FormatInt(id(rows[len(rows)-1]), 10))
	}
	return rows, p, nil
}
