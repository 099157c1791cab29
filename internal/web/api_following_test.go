package web

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path"
	"slices"
	"testing"
	"time"

	"picday/internal/contract"
	"picday/internal/layout"
	"picday/internal/upload"
	"picday/store"
)

// A follower keeps photos as the description says: by id.
type follower struct {
	bearer, filter string
	account        string
	within         func(contract.Photo) bool // the filter, for what was moved
	has            map[int64]string          // what it knows of each: link and path
	anew           map[int64]string          // a list that it reads from nothing; nil: it reads changes
	after          string
	until          int64
}

func newFollower(account, bearer, filter string, within func(contract.Photo) bool) *follower {
	return &follower{bearer: bearer, filter: filter, account: account, within: within, anew: map[int64]string{}}
}

// look asks once. done: nothing has changed since the round before.
func (f *follower) look(t *testing.T, b *adminBed) (done bool) {
	t.Helper()
	query := "/photos?limit=2" + f.filter
	if f.anew == nil {
		query += fmt.Sprintf("&changed_since=%d", f.until)
	}
	if f.after != "" {
		query += "&after=" + url.QueryEscape(f.after)
	}
	var answer struct {
		Photos       []contract.Photo `json:"photos"`
		Next         *string          `json:"next"`
		ChangedUntil *int64           `json:"changed_until"`
	}
	switch code := b.get(f.bearer, query, &answer); code {
	case 200:
	case 401: // its account is gone, and another has its name
		*f = *newFollower(f.account, b.token(fmt.Sprint(f.account, b.ino.Add(1)), b.accountID(f.account)), f.filter, f.within)
		return false
	case 410:
		f.anew, f.after = map[int64]string{}, ""
		return false
	default:
		t.Fatalf("%s: %d", query, code)
	}
	list, begins := f.has, f.anew == nil && f.after == ""
	if f.anew != nil {
		list = f.anew
	}
	for _, p := range answer.Photos {
		delete(list, p.ID)
		if p.WithdrawnAt == nil && f.within(p) {
			list[p.ID] = said(p)
		}
	}
	if answer.Next != nil {
		f.after = *answer.Next
		return false
	}
	if f.anew != nil {
		f.has, f.anew = f.anew, nil
	}
	f.after, f.until = "", *answer.ChangedUntil
	return begins && len(answer.Photos) == 0
}

func said(p contract.Photo) string {
	return fmt.Sprint("\n", p.Account, " ", p.Path, " ", p.Link[:8], " ", p.SHA256[:8], p.Flags, p.Renditions)
}

func (b *adminBed) accountID(name string) int64 {
	b.Helper()
	a, err := b.s.All().Account(b.Context(), name)
	b.must(err)
	return a.ID
}

// A desk does at random what uploaders, operators, root and time do to photos.
type desk struct {
	*adminBed
	rnd   *rand.Rand
	files map[string]file // by account and path: what is on the upload volume
}

type file struct {
	account, content string
	at               store.Place
	ino              uint64
}

func (d *desk) pick(n int) int { return d.rnd.IntN(n) }

func (d *desk) place(account string) store.Place {
	if account == "lincoln" {
		person := fmt.Sprint(d.pick(6))
		at := "lincoln/user-pictures/" + person + ".jpg"
		return store.Place{Path: at, Shown: at, Person: person}
	}
	p := store.Place{Job: fmt.Sprintf("job%05d", 1+d.pick(2)), Album: string("AB"[d.pick(2)]), Area: []string{"individuals", "group"}[d.pick(2)]}
	p.Path = path.Join(p.Job, p.Album, p.Area, fmt.Sprint(d.pick(3), ".jpg"))
	p.Shown = p.Path
	return p
}

func (d *desk) account() store.Account {
	a, err := d.s.All().Account(d.Context(), []string{"acme", "lincoln"}[d.pick(2)])
	d.must(err)
	return a
}

func (d *desk) upload(a store.Account, f file) {
	d.Helper()
	d.publishFile(a, f.at, f.ino, f.content, store.Camera{})
	d.files[a.Name+" "+f.at.Path] = f
}

// some is a file of an account, or none.
func (d *desk) some(a store.Account) (f file, ok bool) {
	var all []string
	for key, f := range d.files {
		if f.account == a.Name {
			all = append(all, key)
		}
	}
	if len(all) == 0 {
		return f, false
	}
	slices.Sort(all)
	return d.files[all[d.pick(len(all))]], true
}

// photos are numbers of photos of an account, withdrawn ones too.
func (d *desk) photo(a store.Account) (p store.Photo, ok bool) {
	all, err := d.s.View(a.ID).Photos(d.Context(), store.PhotoQuery{Show: store.ShowBoth, Order: store.ByChange})
	d.must(err)
	if len(all) == 0 {
		return p, false
	}
	return all[d.pick(len(all))], true
}

// try does something that may not be possible as things are.
func (d *desk) try(fn func(*store.Tx) error) {
	d.Helper()
	err := d.s.Update(d.Context(), fn)
	for _, no := range []error{store.ErrNotFound, store.ErrNoFile, store.ErrNoEarlier, store.ErrNotShown} {
		if errors.Is(err, no) {
			return
		}
	}
	d.must(err)
}

func (d *desk) something() (what string) {
	a := d.account()
	f, hasFile := d.some(a)
	p, hasPhoto := d.photo(a)
	switch n := d.pick(40); {
	case n < 10 || !hasFile || !hasPhoto:
		d.upload(a, file{a.Name, fmt.Sprint(a.Name, " picture ", d.pick(12)), d.place(a.Name), d.ino.Add(1)})
		return "upload"
	case n < 16:
		delete(d.files, a.Name+" "+f.at.Path)
		f.at = d.place(a.Name)
		d.upload(a, f)
		return "move"
	case n < 21:
		d.tx(func(tx *store.Tx) error { _, err := tx.Rotate(p.ID, ""); return err })
		return "rotate"
	case n < 25:
		delete(d.files, a.Name+" "+f.at.Path)
		d.tx(func(tx *store.Tx) error {
			_, _, err := tx.Missing(a, f.at.Path, "", 100, gone{})
			if err == nil && d.pick(4) > 0 {
				_, _, err = tx.Withdraw(-time.Hour, store.SweepPosition{}, 10, gone{})
			}
			return err
		})
		return "delete"
	case n < 28:
		d.try(func(tx *store.Tx) error { return tx.WithdrawBy(p.ID, "ann") })
		return "withdraw"
	case n < 31:
		d.try(func(tx *store.Tx) error { return tx.RestoreBy(p.ID, "ann") })
		return "restore"
	case n < 33 && !p.WithdrawnAt.IsZero() && p.WithdrawnBy == "":
		back := file{a.Name, "", store.Place{Path: p.RawPath, Shown: p.Path, Job: p.Job, Album: p.Album, Area: p.Area, Person: p.Person}, d.ino.Add(1)}
		d.try(func(tx *store.Tx) error {
			return tx.Restore(a, p, upload.Identity{Volume: 1, Ino: back.ino, Size: 1, Ctime: 1}, "")
		})
		d.files[a.Name+" "+p.RawPath] = back
		return "restore from the trash"
	case n < 34:
		d.tx(func(tx *store.Tx) error {
			_, _, err := tx.EmptyTrash(a.ID, store.SweepPosition{}, 1+d.pick(3))
			return err
		})
		return "empty the trash"
	case n < 36:
		d.try(func(tx *store.Tx) error { _, err := tx.Revert(p.ID, "", "ann"); return err })
		return "revert"
	case n < 37:
		o, _, err := d.s.Original(d.Context(), p.SHA)
		d.must(err)
		d.tx(func(tx *store.Tx) error { return tx.SetRenditions(p.SHA, o.Renditions[:1+d.pick(len(o.Renditions))]) })
		return "other sizes"
	case n < 38:
		d.replaceAccount(a)
		return "account"
	case n < 39:
		d.tx(func(tx *store.Tx) error { return tx.SetEnabled(a, d.pick(2) == 0) })
		return "lock"
	}
	if p.Job != "" {
		j, err := d.s.All().Job(d.Context(), a.Name, p.Job)
		d.must(err)
		d.tx(func(tx *store.Tx) error {
			return tx.SetJobState(j, []store.JobState{store.Planned, store.Active}[d.pick(2)], "")
		})
	}
	return "job state"
}

// replaceAccount removes an account and adds one of the same name.
func (d *desk) replaceAccount(a store.Account) {
	d.Helper()
	files := d.pick(2) == 0
	if files {
		d.must(d.s.EmptyAccount(d.Context(), a, nil))
	}
	d.tx(func(tx *store.Tx) error { return tx.RemoveAccount(a, files) })
	if files {
		for key, f := range d.files {
			if f.account == a.Name {
				delete(d.files, key)
			}
		}
	}
	d.tx(func(tx *store.Tx) error {
		again, err := tx.AddAccount(store.Account{Name: a.Name, Layout: a.Layout})
		if err == nil && files && a.Layout == layout.Jobs {
			err = errors.Join(tx.AddJob(again, "job00001"), tx.AddJob(again, "job00002"))
		}
		return err
	})
}

// Whoever follows as the description says has in the end what the API lists, with every
// link alive, whatever was done to photos, accounts and jobs between any two questions.
func TestFollowing(t *testing.T) {
	seeds := uint64(8)
	if os.Getenv("PICDAY_TORTURE") != "" {
		seeds = 150
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { follow(t, seed) })
	}
}

func follow(t *testing.T, seed uint64) {
	b := newAdminBed(t)
	b.tx(func(tx *store.Tx) error { return tx.AddJob(b.other, "job00002") })
	d := &desk{b, rand.New(rand.NewPCG(seed, 2)), map[string]file{}}
	all := b.token("shop", 0)
	any := func(contract.Photo) bool { return true }
	followers := []*follower{
		newFollower("", all, "", any),
		newFollower("", all, "&account=acme", any),
		newFollower("", all, "&account=lincoln&person=3", any),
		newFollower("acme", b.token("acme", b.other.ID), "", any),
		newFollower("lincoln", b.token("lincoln", b.acct.ID), "", any),
		newFollower("", all, "&account=acme&job=job00001", func(p contract.Photo) bool { return p.Job == "job00001" }),
		newFollower("", all, "&job=job00002", func(p contract.Photo) bool { return p.Job == "job00002" }),
		newFollower("", all, "&account=acme&job=job00001&album=A&area=group", func(p contract.Photo) bool { return p.Job == "job00001" && p.Album == "A" && p.Area == "group" }),
		newFollower("", all, "&album=B", func(p contract.Photo) bool { return p.Album == "B" }),
		newFollower("acme", b.token("acme group", b.other.ID), "&area=group", func(p contract.Photo) bool { return p.Area == "group" }),
	}
	var log []string
	for range 3 {
		for range 50 {
			log = append(log, d.something())
			for _, f := range followers {
				if d.pick(3) == 0 {
					f.look(t, b)
				}
			}
		}
		for i, f := range followers {
			for n := 0; !f.look(t, b); n++ {
				if n > 500 {
					t.Fatalf("follower %d does not come to an end", i)
				}
			}
			var now struct {
				Photos []contract.Photo `json:"photos"`
			}
			if code := b.get(f.bearer, "/photos?limit=1000"+f.filter, &now); code != 200 {
				t.Fatal(code)
			}
			want := map[int64]string{}
			for _, p := range now.Photos {
				want[p.ID] = said(p)
				if got, err := b.pub.Pictures.Published(p.Link, ""); err != nil {
					t.Errorf("%s: %v %v", p.Link, got, err)
				}
			}
			if fmt.Sprint(want) != fmt.Sprint(f.has) {
				t.Fatalf("follower %d of %q has\n%v\nlisted is\n%v\n%v", i, f.filter, f.has, want, log)
			}
		}
	}
}
