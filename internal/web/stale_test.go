package web

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"picday/store"
)

// While a portrait is replaced and withdrawn again and again, every answer is
// of a state that was the current one at some moment of the request: from the
// commit on nobody sees what was before, by whatever kind of request.
func TestNeverStale(t *testing.T) {
	b := newBed(t)
	// State n: withdrawn after every fourth picture.
	withdrawn := func(n int64) bool { return n%5 == 4 }
	b.put("12", "state 0")
	link := b.link("12")
	url := b.serve()
	const last = 300
	var begun, done atomic.Int64
	var group sync.WaitGroup
	for reader := range 6 {
		rendition, path := "large", "/"+link+".jpg"
		if reader%2 == 0 {
			rendition, path = "thumb", "/"+link+"/thumb.jpg"
		}
		group.Go(func() {
			var tag, modified string
			tagOf := int64(-1)
			for done.Load() < last {
				r, err := http.NewRequest("GET", url+path, nil)
				b.must(err)
				if tag != "" && reader < 2 {
					r.Header.Set("If-None-Match", tag)
				} else if tag != "" && reader < 4 {
					r.Header.Set("If-Modified-Since", modified)
				}
				from := done.Load()
				res, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				to := begun.Load()
				if err != nil {
					t.Error(err)
					return
				}
				saw := int64(-1)
				for n := from; n <= to; n++ {
					switch res.StatusCode {
					case http.StatusNotFound:
						if withdrawn(n) {
							saw = n
						}
					case http.StatusNotModified:
						if n == tagOf {
							saw = n
						}
					case http.StatusOK:
						if !withdrawn(n) && string(body) == string(rendered(rendition, fmt.Sprintf("state %d", n))) {
							saw, tagOf, tag, modified = n, n, res.Header.Get("Etag"), res.Header.Get("Last-Modified")
						}
					}
				}
				if saw < 0 {
					t.Errorf("between states %d and %d: status %d, %.20q (asked with %q %q of %d)", from, to, res.StatusCode, body, tag, modified, tagOf)
					return
				}
			}
		})
	}
	for n := int64(1); n <= last; n++ {
		begun.Store(n)
		if withdrawn(n) {
			b.withdraw("12")
		} else {
			b.put("12", fmt.Sprintf("state %d", n))
		}
		done.Store(n)
	}
	group.Wait()
}

// What another process commits counts at once, too.
func TestAnotherProcessWithdraws(t *testing.T) {
	if dir := os.Getenv("PICDAY_TEST_DATA"); dir != "" {
		s, err := store.Open(t.Context(), dir)
		b := &bed{TB: t, s: s}
		b.must(err)
		b.acct, err = s.All().Account(t.Context(), "lincoln")
		b.must(err)
		b.withdraw(os.Getenv("PICDAY_TEST_PERSON"))
		b.must(s.Close())
		return
	}
	b := newBed(t)
	url := b.serve()
	for i := range 5 {
		person := fmt.Sprint(i)
		b.put(person, "Ann")
		path := "/" + b.link(person) + "/thumb.jpg"
		for range 2 { // the second answer comes from memory
			if status := get(t, url+path); status != http.StatusOK {
				t.Fatal(status)
			}
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestAnotherProcessWithdraws$")
		cmd.Env = append(os.Environ(), "PICDAY_TEST_DATA="+b.s.DataDir(), "PICDAY_TEST_PERSON="+person)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if status := get(t, url+path); status != http.StatusNotFound {
			t.Errorf("withdrawn by another process: %d", status)
		}
	}
}

func get(t *testing.T, url string) int {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// A picture that is swapped for another and back within a second has three
// dates, whatever the clock says.
func TestDatesOfQuickChanges(t *testing.T) {
	b := newBed(t)
	seen := map[string]string{}
	for _, content := range []string{"Ann", "Bob", "Ann", "Bob"} {
		b.put("12", content)
		date := b.ask("HEAD", "/"+b.link("12")+".jpg").Header().Get("Last-Modified")
		if was, twice := seen[date]; twice || strings.TrimSpace(date) == "" {
			t.Errorf("%s has the date %q of %s", content, date, was)
		}
		seen[date] = content
	}
}
