package store

import (
	"context"
	"fmt"
	"testing"
)

// BenchmarkPublished is what it costs to know what a link shows: if blind has
// committed anything since the last time, and if somebody has.
func BenchmarkPublished(b *testing.B) {
	const n = 20_000
	s := benchStore(b, n)
	links, err := s.OpenLinks(b.Context(), "large")
	if err != nil {
		b.Fatal(err)
	}
	defer links.Close()
	all, err := column[string](s.read, `SELECT link FROM photo ORDER BY link`)
	if err != nil || len(all) != n {
		b.Fatal(err, len(all))
	}
	ask := func(b *testing.B, i int) {
		if _, err := links.Published(all[i%1000], "thumb"); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("kept", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			ask(b, i)
		}
	})
	b.Run("looked-up", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			links.version = -1
			ask(b, i)
		}
	})
}

func benchStore(b *testing.B, n int) *Store {
	b.Helper()
	s, _, err := Create(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	err = s.Update(b.Context(), func(tx *Tx) error {
		a, err := tx.AddAccount(Account{Name: "acme", Layout: Portraits})
		if err != nil {
			return err
		}
		for i := range n {
			o := Original{SHA: shaOf(fmt.Sprint(i)), Bytes: 1, Width: 800, Height: 600}
			for _, r := range []RenditionSpec{{"large", 1600, 85}, {"thumb", 400, 80}} {
				o.Renditions = append(o.Renditions, Rendition{r, 8, 6, 15000, SHA{}})
			}
			p := fmt.Sprint(i)
			arrival := Arrival{Account: a, Place: Place{Path: p, Shown: p, Person: p}, Identity: Identity{Ino: uint64(i) + 1}, Original: o}
			if _, err := tx.Publish(arrival, blind{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// blind is a disk of which nothing can be said.
type blind struct{}

func (blind) Look(string, string) (Presence, Identity) { return Unknown, Identity{} }

func (blind) Elsewhere(string, string, Identity, SHA) (Presence, string) { return Absent, "" }

func (blind) Sure(context.Context) error { return nil }
