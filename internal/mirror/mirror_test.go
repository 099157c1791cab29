package mirror

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The directory has what is published, and follows every change of it.
func TestTheDirectoryFollows(t *testing.T) {
	s, dir := newServer(t), filepath.Join(t.TempDir(), "pictures")
	s.put("12", "Ann")
	s.put("13", "Ben")
	stop := s.follow(s.options(dir))
	eventually(t, dir, "12.jpg=Ann 13.jpg=Ben ")
	s.put("12", "Ann, newer")
	eventually(t, dir, "12.jpg=Ann, newer 13.jpg=Ben ")
	s.put("13", "")
	s.put("14", "Cid")
	eventually(t, dir, "12.jpg=Ann, newer 14.jpg=Cid ")
	stop()
	if got, want := stateOf(t, dir).ChangedUntil, int64(6); got != want {
		t.Errorf("the state is %d, not %d", got, want)
	}
	s.put("12", "")
	s.follow(s.options(dir)) // goes on where it was
	eventually(t, dir, "14.jpg=Cid ")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.asked[2:] { // after those for the account and for the whole list
		if !strings.Contains(q, "changed_since") {
			t.Errorf("the whole list was read again: %v", s.asked)
		}
	}
}

// Once ends in step, and fetches nothing that is there.
func TestOnce(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	s.put("12", "Ann")
	var fetched atomic.Int32
	s.picture = func(w http.ResponseWriter, r *http.Request) {
		fetched.Add(1)
		_, _ = w.Write([]byte(s.pictures[r.URL.Path]))
	}
	for range 2 {
		if err := s.once(dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, stateFile)); err != nil {
		t.Fatal(err)
	}
	if err := s.once(dir); err != nil || has(t, dir) != "12.jpg=Ann " || fetched.Load() != 1 {
		t.Errorf("%v, %s, fetched %d times", err, has(t, dir), fetched.Load())
	}
	// A picture that somebody has spoilt, and one that is not on the list.
	for _, name := range []string{"12.jpg", "99.jpg"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("Eve"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := s.options(dir)
	o.Once, o.Check = true, true
	if err := Run(t.Context(), o); err != nil || has(t, dir) != "12.jpg=Ann " {
		t.Errorf("checked: %v, %s", err, has(t, dir))
	}
}

// A directory with something else in it is not touched, nor one of another mirror, nor
// is one worked on twice.
func TestADirectoryOfSomebodyElse(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	s.put("12", "Ann")
	file := filepath.Join(dir, "holiday.jpg")
	if err := os.WriteFile(file, []byte("beach"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.once(dir); !errors.Is(err, ErrRefused) || has(t, dir) != "holiday.jpg=beach " {
		t.Errorf("%v, %s", err, has(t, dir))
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := s.once(dir); err != nil {
		t.Fatal(err)
	}
	o := s.options(dir)
	o.Account, o.Once = "another", true
	if err := Run(t.Context(), o); !errors.Is(err, ErrRefused) {
		t.Errorf("another account: %v", err)
	}
	other := newServer(t)
	if err := other.once(dir); !errors.Is(err, ErrRefused) {
		t.Errorf("another installation: %v", err)
	}
	s.follow(s.options(dir))
	s.put("13", "Ben")
	eventually(t, dir, "12.jpg=Ann 13.jpg=Ben ")
	if err := s.once(dir); err == nil || !strings.Contains(err.Error(), "another picday mirror") {
		t.Errorf("a second one: %v", err)
	}
	link := filepath.Join(t.TempDir(), "link")
	outside := t.TempDir()
	if err := errors.Join(os.Mkdir(link, 0o700), os.Symlink(outside, filepath.Join(link, ownDir))); err != nil {
		t.Fatal(err)
	}
	if err := s.once(link); !errors.Is(err, ErrRefused) {
		t.Errorf("a symlink for what is the mirror's own: %v", err)
	}
}

// Nothing is removed because the installation cannot be reached, and when it can be the
// mirror goes on by itself; the trouble is said once.
func TestTrouble(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	s.put("12", "Ann")
	said := make(chan error, 100)
	o := s.options(dir)
	o.Trouble = func(err error) { said <- err }
	s.follow(o)
	eventually(t, dir, "12.jpg=Ann ")
	for _, c := range []struct {
		status int
		header string
		text   string
		word   string
	}{
		{500, "", "oops", "500"},
		{401, "", `{"error": "Give a token."}`, "token"},
		{429, "Retry-After: 0", `{"error": "So many wait."}`, "So many wait"},
		{503, "", "<html>", "503"},
		{200, "", "<html>", "not one of picday's"},
		{302, "Location: https://elsewhere.example/", "", "elsewhere.example"},
	} {
		s.say(c.status, c.header, c.text)
		s.put("13", c.word) // ends the waiting
		if err := <-said; err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%d: %v", c.status, err)
		}
		if got := has(t, dir); !strings.Contains(got, "12.jpg=Ann") {
			t.Errorf("%d: the directory has %s", c.status, got)
		}
		s.mu.Lock()
		s.api = nil
		s.mu.Unlock()
		if err := <-said; err != nil {
			t.Errorf("after %d: %v", c.status, err)
		}
		eventually(t, dir, "12.jpg=Ann 13.jpg="+c.word+" ")
	}
}

// When the installation no longer knows what was withdrawn, the whole list is read again.
func TestWhatWasForgotten(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	s.put("12", "Ann")
	s.put("13", "Ben")
	if err := s.once(dir); err != nil {
		t.Fatal(err)
	}
	s.put("13", "")
	s.mu.Lock()
	s.rows = s.rows[:1]
	forgotten := s.changed
	s.api = func(w http.ResponseWriter, r *http.Request) {
		if since := r.FormValue("changed_since"); since != "" && since < fmt.Sprint(forgotten) {
			w.WriteHeader(http.StatusGone)
			return
		}
		s.list(w, r)
	}
	s.mu.Unlock()
	s.follow(s.options(dir))
	eventually(t, dir, "12.jpg=Ann ")
}

// A picture that is withdrawn is gone at once, also while others take long to fetch, and
// one that was withdrawn while it was fetched does not come back.
func TestWithdrawnWhileOthersAreFetched(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	s.put("12", "Ann")
	released := make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	t.Cleanup(release)
	s.follow(s.options(dir))
	eventually(t, dir, "12.jpg=Ann ")
	begun := make(chan struct{}, 100)
	s.mu.Lock()
	s.picture = func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		text := s.pictures[r.URL.Path]
		s.mu.Unlock()
		w.Header().Set("Content-Length", fmt.Sprint(len(text)))
		_, _ = w.Write([]byte(text[:1]))
		_ = http.NewResponseController(w).Flush()
		begun <- struct{}{}
		<-released
		_, _ = w.Write([]byte(text[1:]))
	}
	s.mu.Unlock()
	for i := range fetchers + 2 {
		s.put(fmt.Sprint("2", i), "slow")
	}
	for range fetchers {
		<-begun
	}
	s.put("12", "")
	eventually(t, dir, "")
	if got := stateOf(t, dir).ChangedUntil; got > 2 {
		t.Errorf("the state says %d while pictures are on their way", got)
	}
	s.put("20", "")
	s.put("30", "later") // when this is told, 20 was
	s.mu.Lock()
	want := s.changed
	s.mu.Unlock()
	for { // the question after 30
		s.mu.Lock()
		last := s.asked[len(s.asked)-1]
		s.mu.Unlock()
		if strings.Contains(last, fmt.Sprintf("changed_since=%d&", want)) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	release()
	eventually(t, dir, "21.jpg=slow 22.jpg=slow 23.jpg=slow 24.jpg=slow 25.jpg=slow 30.jpg=later ")
}

// The directory, the token and the options that cannot be meant are refused at once.
func TestOptions(t *testing.T) {
	s := newServer(t)
	for url, word := range map[string]string{
		"photos.example.com": "is not an address", "http://photos.example.com": "--plain-http", "ftp://photos.example.com": "is not an address",
		"https://user:pw@photos.example.com": "is not an address", "https://photos.example.com/?a=1": "is not an address",
	} {
		o := s.options(t.TempDir())
		o.URL = url
		if err := Run(t.Context(), o); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, tail := range []string{"/", "/api/v1", "/api/v1/"} {
		o := s.options(t.TempDir())
		o.URL, o.Once = s.URL+tail, true
		if err := Run(t.Context(), o); err != nil {
			t.Errorf("%s: %v", tail, err)
		}
	}
	file := filepath.Join(t.TempDir(), "token")
	for text, want := range map[string]string{"secret\n": "secret", "": "", "two words": "", "\n": ""} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := TokenFile(file)()
		if want != "" && got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v", text, got, err)
		}
	}
	s.say(http.StatusNotFound, "", `{"error": "There is no account \"nobody\"."}`)
	o := s.options(t.TempDir())
	o.Account = "nobody"
	if err := Run(context.Background(), o); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("an account that is not there: %v", err)
	}
	s.say(http.StatusOK, "", `{"accounts": [{"account": "acme"}, {"account": "lincoln"}]}`)
	if err := Run(context.Background(), s.options(t.TempDir())); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "acme, lincoln") {
		t.Errorf("several accounts: %v", err)
	}
}
