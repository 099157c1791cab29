package provision

import (
	"errors"
	"slices"
	"testing"

	"picday/internal/failure"
	"picday/internal/test/uploads"
	"picday/store"
)

// An operator's address is a plain one, and only accounts that he sees are told to him.
func TestMailboxes(t *testing.T) {
	s := uploads.New(t)
	ctx := t.Context()
	for _, o := range []store.Operator{{Name: "eva", Role: store.Admin}, {Name: "otto", AccountID: s.Acme.ID, Role: store.Look}} {
		s.Must(AddOperator(ctx, s.Store, o, "correct horse", ""))
	}
	for _, bad := range []string{"eva", "Eva <eva@example.org>", "eva@example.org\r\nBcc: x@example.org", "a b@example.org", "<eva@example.org>", `"a b"@example.org`} {
		if err := SetMailbox(ctx, s.Store, "eva", bad, nil); !failure.IsUsage(err) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := SetMailbox(ctx, s.Store, "nobody", "n@example.org", nil); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if err := SetMailbox(ctx, s.Store, "eva", "e@example.org", []string{"nope"}); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if err := SetMailbox(ctx, s.Store, "otto", "o@example.org", []string{"lincoln"}); !failure.IsRefusal(err) {
		t.Error(err)
	}
	s.Must(SetMailbox(ctx, s.Store, "otto", "o@example.org", []string{"acme"}))
	s.Must(SetMailbox(ctx, s.Store, "eva", "e@example.org", nil))
	all, err := Operators(ctx, s.Store, "")
	if err != nil || len(all) != 2 || all[0].Email != "e@example.org" || all[0].EmailAbout != nil || !slices.Equal(all[1].EmailAbout, []string{"acme"}) {
		t.Errorf("%+v %v", all, err)
	}
	for _, l := range all {
		if l.Mail() == "" {
			t.Error("no words")
		}
	}
	s.Must(SetMailbox(ctx, s.Store, "eva", "", nil))
	if all, err = Operators(ctx, s.Store, ""); err != nil || all[0].Email != "" {
		t.Errorf("%+v %v", all, err)
	}
}
