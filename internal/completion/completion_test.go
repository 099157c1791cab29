package completion

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"picday/internal/layout"
	"picday/store"
)

// complete returns what a shell is offered behind the words.
func offered(t *testing.T, open Open, words ...string) []string {
	t.Helper()
	nothing := func(*cobra.Command, []string) {}
	account := &cobra.Command{Use: "account"}
	account.AddCommand(&cobra.Command{Use: "show NAME", Run: nothing}, &cobra.Command{Use: "add NAME", Run: nothing})
	login := &cobra.Command{Use: "login"}
	login.AddCommand(&cobra.Command{Use: "add ACCOUNT NAME", Run: nothing}, &cobra.Command{Use: "remove ACCOUNT NAME", Run: nothing})
	account.AddCommand(login, &cobra.Command{Use: "enable NAME", Run: nothing})
	activate := &cobra.Command{Use: "activate ACCOUNT JOB", Run: nothing}
	activate.Flags().String("job", "", "a `JOB`")
	root := &cobra.Command{Use: "tool"}
	root.AddCommand(account, activate)
	OfferNames(root, open)
	Unquote(root)
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&bytes.Buffer{})
	root.SetArgs(append([]string{cobra.ShellCompNoDescRequestCmd}, words...))
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(out.String())
	return lines[:slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, ":") })]
}

func TestOfferNames(t *testing.T) {
	dir := t.TempDir()
	s, _, err := store.Create(t.Context(), dir)
	if err == nil {
		err = s.Update(t.Context(), func(tx *store.Tx) error {
			acme, err := tx.AddAccount(store.Account{Name: "acme", Layout: layout.Jobs})
			_, err2 := tx.AddAccount(store.Account{Name: "lincoln", Layout: layout.Portraits, IDPattern: "[0-9]+"})
			_, err3 := tx.AddLogin(acme, store.Login{Name: "anna"})
			return errors.Join(err, err2, err3, tx.AddJob(acme, "job1"))
		})
	}
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	open := func(ctx context.Context) (*store.Store, error) { return store.Open(ctx, dir) }
	for line, want := range map[string]string{
		"account show |":                 "acme lincoln anna",
		"account enable |":               "acme lincoln",
		"account login add |":            "acme lincoln",
		"account login add acme |":       "",
		"account login remove acme |":    "anna",
		"account login remove lincoln |": "",
		"account show acme |":            "",
		"account add |":                  "",
		"activate |":                     "acme lincoln",
		"activate acme |":                "job1",
		"activate lincoln |":             "",
		"activate acme job1 |":           "",
		"activate acme job1 --job |":     "",
		"activate acme --job |":          "job1",
		"activate acme --nothing job1 |": "",
	} {
		words := strings.Split(strings.TrimSuffix(line, "|"), " ")
		if got := strings.Join(offered(t, open, words...), " "); got != want {
			t.Errorf("%s offers %q, want %q", line, got, want)
		}
	}
	broken := func(context.Context) (*store.Store, error) { return nil, errors.New("fault") }
	if got := offered(t, broken, "activate", ""); len(got) > 0 {
		t.Errorf("without a catalogue: %q", got)
	}
	frozen := func(ctx context.Context) (*store.Store, error) { select {} }
	if got := offered(t, frozen, "activate", ""); len(got) > 0 {
		t.Errorf("with a catalogue that does not answer: %q", got)
	}
}
