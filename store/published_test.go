package store

import (
	"context"
	"fmt"
	"testing"

	"picday/internal/layout"
	"picday/internal/rendition"
	"picday/internal/upload"
)

// BenchmarkPublished measures looking up a link: if nobody has committed anything since
// the last time, and if somebody has.
func BenchmarkPublished(b *testing.B) {
	const n = 20_000
	s := benchStore(b, n)
	links, err := s.OpenLinks(b.Context(), "large")
	if err != nil {
		b.Fatal(err)
	}
	defer links.Close()
	all, err := column[string](b.Context(), s.read, `SELECT link FROM photo ORDER BY link`)
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
		a, err := tx.AddAccount(Account{Name: "acme", Layout: layout.Portraits})
		if err != nil {
			return err
		}
		for i := range n {
			o := Original{SHA: shaOf(fmt.Sprint(i)), Bytes: 1, Width: 800, Height: 600}
			for _, r := range []rendition.Spec{{Name: "large", Longest: 1600, Quality: 85}, {Name: "thumb", Longest: 400, Quality: 80}} {
				o.Renditions = append(o.Renditions, Rendition{r, 8, 6, 15000, SHA{}})
			}
			p := fmt.Sprint(i)
			arrival := Arrival{Account: a, Place: Place{Path: p, Shown: p, Person: p}, Identity: upload.Identity{Ino: uint64(i) + 1}, Original: o}
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

// blind is a Disk that cannot tell anything.
type blind struct{}

func (blind) Look(context.Context, string, string) (Presence, upload.Identity) {
	return Unknown, upload.Identity{}
}

func (blind) Find(context.Context, string, string, upload.Identity, SHA) (Presence, string) {
	return Absent, ""
}

func (blind) Verify(context.Context) error { return nil }
