package test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"picday/internal/test/bed"
)

// api asks the API as a program with a token does.
func (s *site) api(token, path string, into any) int {
	s.t.Helper()
	r, err := http.NewRequest("GET", "http://"+s.Admin+"/api/v1"+path, nil)
	s.must(err)
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	s.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	s.must(err)
	if into != nil && res.StatusCode == http.StatusOK {
		if err := json.Unmarshal(body, into); err != nil {
			s.t.Fatalf("%s: %v in %s", path, err, body)
		}
	}
	return res.StatusCode
}

// token makes one with the command.
func (s *site) token(name string, flags ...string) string {
	s.t.Helper()
	var made struct{ Name, Account, Token string }
	s.JSON(&made, append([]string{"token", "add", name}, flags...)...)
	if made.Name != name || made.Token == "" {
		s.t.Fatalf("token add: %+v", made)
	}
	return made.Token
}

// A till gets a person's picture as soon as it is published. A shop learns of every change
// by asking for changes repeatedly.
func TestATillAndAShop(t *testing.T) {
	s := newSite(t)
	u, studio := s.portraits("school"), s.jobs("studio", "job1")
	till, shop := s.token("till", "--account", u.Name), s.token("shop")
	wire := u.ByKey().MustWire()
	s.must(wire.Put(pictures(u)+"12.jpg", photo()))
	var p bed.Photo
	s.Eventually("the till has the picture", func() (bool, any) {
		code := s.api(till, "/people/12", &p)
		return code == http.StatusOK, code
	})
	path := u.Name + "/user-pictures/12.jpg"
	listed := s.photos(u)[path]
	if got, want := fmt.Sprintf("%+v", p), fmt.Sprintf("%+v", listed); got != want {
		t.Errorf("the till sees\n%s\nthe command\n%s", got, want)
	}
	s.requireServed(p)

	type photos struct {
		Photos []struct {
			bed.Photo
			WithdrawnAt *time.Time `json:"withdrawn_at"`
		}
		Next         *string
		ChangedUntil int64 `json:"changed_until"`
	}
	var first, later photos
	if s.api(shop, "/photos", &first); len(first.Photos) != 1 || first.Next != nil || first.ChangedUntil == 0 {
		t.Fatalf("%+v", first)
	}
	s.must(wire.Remove(pictures(u) + "12.jpg"))
	s.must(studio.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(studio, "/job1/A/x.jpg")
	s.waitPhotos(u)
	withdrawn := map[string]bool{}
	s.api(shop, fmt.Sprintf("/photos?changed_since=%d", first.ChangedUntil), &later)
	for _, p := range later.Photos {
		withdrawn[p.Path] = p.WithdrawnAt != nil
	}
	if gone, told := withdrawn[path]; len(withdrawn) != 2 || !told || !gone || withdrawn["job1/A/x.jpg"] {
		t.Errorf("%+v", later)
	}
	if code := s.api(till, "/people/12", nil); code != http.StatusNotFound {
		t.Errorf("withdrawn: %d", code)
	}
	if code := s.api(till, "/photos?account="+studio.Name, nil); code != http.StatusNotFound {
		t.Errorf("the till asks for the studio: %d", code)
	}
	for _, list := range []string{"/accounts", "/jobs", "/albums", "/problems", "/status", "/openapi.json"} {
		if code := s.api(shop, list, nil); code != http.StatusOK {
			t.Errorf("%s: %d", list, code)
		}
	}
	s.MustPicday("token", "remove", "till")
	if code := s.api(till, "/photos", nil); code != http.StatusUnauthorized {
		t.Errorf("revoked: %d", code)
	}
}

// An operator logs in, sees a picture, and is logged out when removed.
func TestAnOperator(t *testing.T) {
	s := newSite(t)
	u := s.portraits("school")
	s.uploadAndWait(u, pictures(u)+"12.jpg")
	var made struct{ Password string }
	s.JSON(&made, "operator", "add", "ann")
	jar, err := cookiejar.New(nil)
	s.must(err)
	browser := http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	get := func(path string) (int, string) {
		t.Helper()
		res, err := browser.Get("http://" + s.Admin + path)
		s.must(err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		s.must(err)
		return res.StatusCode, res.Header.Get("Location") + string(body)
	}
	logIn := func(password string) int {
		t.Helper()
		res, err := browser.PostForm("http://"+s.Admin+"/login", url.Values{"name": {"ann"}, "password": {password}})
		s.must(err)
		res.Body.Close()
		return res.StatusCode
	}
	if code, to := get("/photos/1/thumb.jpg"); code != http.StatusSeeOther || !strings.HasPrefix(to, "/login") {
		t.Errorf("without log-in: %d %s", code, to)
	}
	if code := logIn("something else"); code != http.StatusForbidden {
		t.Errorf("a wrong password: %d", code)
	}
	if code := logIn(made.Password); code != http.StatusSeeOther {
		t.Errorf("log in: %d", code)
	}
	if code, body := get("/photos/1/thumb.jpg"); code != http.StatusOK || !strings.HasPrefix(body, "\xff\xd8\xff") {
		t.Errorf("a thumbnail: %d, %d bytes", code, len(body))
	}
	if code, body := get("/photos/1/original"); code != http.StatusOK || body != string(diskFile(t, u, pictures(u)+"12.jpg")) {
		t.Errorf("the original: %d, %d bytes", code, len(body))
	}
	s.daemon.Stop(syscall.SIGTERM) // while the browser's connection is open
	s.daemon = s.StartDaemon()
	if code, _ := get("/photos/1/thumb.jpg"); code != http.StatusOK {
		t.Errorf("after a restart: %d", code)
	}
	s.MustPicday("operator", "remove", "ann")
	if code, to := get("/photos/1/thumb.jpg"); code != http.StatusSeeOther || !strings.HasPrefix(to, "/login") {
		t.Errorf("removed: %d %s", code, to)
	}
}
