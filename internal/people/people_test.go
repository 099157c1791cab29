package people

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picday/internal/failure"
	"picday/internal/layout"
	"picday/store"
)

func place(t *testing.T, kind layout.Kind) Place {
	t.Helper()
	s, _, err := store.Create(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	var a store.Account
	job := ""
	err = s.Update(t.Context(), func(tx *store.Tx) (err error) {
		if a, err = tx.AddAccount(store.Account{Name: "acme", Layout: kind}); err == nil && kind == layout.Jobs {
			job, err = "job1", tx.AddJob(a, "job1")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p := Of(s, a)
	p.Job = job
	return p
}

// run imports a list and returns what it said, and the error.
func run(t *testing.T, x Import, p Place, text string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	x.File = file
	said, err := x.Run(t.Context(), p)
	return strings.Join(said, "\n"), err
}

// An import says what it changes, changes nothing with --dry-run, and refuses to take away
// more than a tenth without --accept.
func TestAnImportSaysWhatItChanges(t *testing.T) {
	p := place(t, layout.Jobs)
	list := "ID;Last;First;Class\n01;Abel;Ann;5b\n02;Berg;Bo;5a\n"
	want := "added: Ann Abel (01), 5b\nadded: Bo Berg (02), 5a\n2 people: 2 added, 0 changed, 0 as before, 0 missing from the list"
	if said, err := run(t, Import{DryRun: true}, p, list); err != nil || said != want+"\nNothing was changed: this was --dry-run." {
		t.Error(said, err)
	}
	if all, err := p.List(t.Context()); err != nil || len(all) != 0 {
		t.Error(all, err)
	}
	if said, err := run(t, Import{}, p, list); err != nil || said != want {
		t.Error(said, err)
	}
	short := "ID;Class\n01;6b\n"
	said, err := run(t, Import{}, p, short)
	if !failure.IsRefusal(err) || !errors.Is(err, store.ErrTakesAway) || !strings.Contains(said, "changed: Ann Abel (01), 5b: class 5b → 6b\nmissing from the list: Bo Berg (02), 5a") {
		t.Error(said, err)
	}
	if said, err := run(t, Import{DryRun: true}, p, short); err != nil || !strings.HasSuffix(said, "more than a tenth of the people before are missing from it.") {
		t.Error(said, err)
	}
	if _, err := run(t, Import{Accept: true}, p, short); err != nil {
		t.Error(err)
	}
	all, err := p.List(t.Context())
	if err != nil || len(all) != 2 || all[0].ExternalID+all[0].Class+string(all[0].Listed) != "025amissing" || all[1].Class != "6b" {
		t.Errorf("%+v, %v", all, err)
	}
	many := "ID\n"
	for i := range 100 {
		many += fmt.Sprintf("X%d\n", i)
	}
	if said, err := run(t, Import{Accept: true}, p, many); err != nil || !strings.Contains(said, "added: and 80 more") {
		t.Error(said, err)
	}
	if _, err := run(t, Import{}, p, "no list"); err == nil || !strings.Contains(err.Error(), "list.csv: this is no list of people") {
		t.Error(err)
	}
	p.Job = "job9"
	if _, err := run(t, Import{}, p, list); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// The missing list has who is on the list and has no photo, and is a CSV that a spreadsheet
// takes no formula from.
func TestTheMissingListSaysWhy(t *testing.T) {
	p := place(t, layout.Portraits)
	if _, err := run(t, Import{}, p, "ID;Last;First;Class\n01;=Abel;Ann;5b\n02;Berg;Bo;5a\n03;Cole;Cy;5a\n"); err != nil {
		t.Fatal(err)
	}
	all, err := p.Missing(t.Context())
	if err != nil || len(all) != 3 || all[0].Why != "no-photo" || all[2].Last != "=Abel" {
		t.Fatalf("%+v, %v", all, err)
	}
	if got := fmt.Sprint(PerClass(all)); got != "[5a: 2 without a photo 5b: 1 without a photo]" {
		t.Error(got)
	}
	all[1].Why, all[1].Path = "only-problem", "user-pictures/03.png"
	var b bytes.Buffer
	if err := WriteCSV(&b, all[1:]); err != nil {
		t.Fatal(err)
	}
	want := "ID,Code,Last name,First name,Class,Grade,Why,File\r\n03," + all[1].Code + ",Cole,Cy,5a,,only-problem,user-pictures/03.png\r\n01," + all[2].Code + ",'=Abel,Ann,5b,,no-photo,\r\n"
	if b.String() != want {
		t.Errorf("%q instead of\n%q", b.String(), want)
	}
}

// Cards are printed of everybody on the list, of those without a photo, or for nobody yet;
// a spare card is never printed twice.
func TestCardsArePrinted(t *testing.T) {
	p := place(t, layout.Jobs)
	if _, err := run(t, Import{}, p, "ID;Last;First;Class\n01;Abel;Ann;5b\n02;Berg;Bo;5a\n"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, c := range []struct {
		x    Cards
		want string
	}{
		{Cards{File: dir + "/all.pdf", PerSheet: 4}, "2 cards in " + dir + "/all.pdf"},
		{Cards{File: dir + "/missing.HTML", PerSheet: 1, Missing: true}, "2 cards in " + dir + "/missing.HTML"},
		{Cards{File: dir + "/spare.html", PerSheet: 8, Spare: 2}, "2 cards in " + dir + "/spare.html"},
		{Cards{File: dir + "/more.html", PerSheet: 8, Spare: 1}, "1 cards in " + dir + "/more.html"},
	} {
		if said, err := c.x.Run(t.Context(), p); err != nil || strings.Join(said, "") != c.want {
			t.Errorf("%+v: %q, %v", c.x, said, err)
		}
	}
	if text, err := os.ReadFile(dir + "/more.html"); err != nil || !strings.Contains(string(text), "Extra 3") {
		t.Error(err)
	}
	for _, x := range []Cards{{File: "x.doc", PerSheet: 1}, {File: dir + "/x.pdf", PerSheet: 3}, {File: dir + "/x.pdf", PerSheet: 1, Spare: -1}} {
		if _, err := x.Run(t.Context(), p); !failure.IsUsage(err) {
			t.Errorf("%+v: %v", x, err)
		}
	}
}
