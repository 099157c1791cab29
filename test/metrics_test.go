package test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// The metrics of a real daemon are complete and true.
func TestScrape(t *testing.T) {
	s := newSite(t)
	u := s.jobs("scrape", "job1")
	var token struct{ Token string }
	s.JSON(&token, "token", "add", "prometheus")
	scrape := func(bearer string) (int, string) {
		r, err := http.NewRequest("GET", "http://"+s.Admin+"/metrics", nil)
		s.must(err)
		if bearer != "" {
			r.Header.Set("Authorization", "Bearer "+bearer)
		}
		res, err := http.DefaultClient.Do(r)
		s.must(err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		s.must(err)
		return res.StatusCode, string(text)
	}
	for _, wrong := range []string{"", "x", token.Token + "x"} {
		if status, text := scrape(wrong); status != http.StatusUnauthorized || strings.Contains(text, "picday_") {
			t.Errorf("token %q: %d %.200s", wrong, status, text)
		}
	}
	_, slow := s.openSlow(u)
	_, err := slow.Write(photo()[:100])
	s.must(err)
	s.must(u.ByKey().MustWire().Put("/job1/lost.jpg", photo()))
	s.uploadAndWait(u, "/job1/A/x.jpg")
	s.waitProblems(u, map[string]string{"job1/lost.jpg": "no-album"})
	for _, line := range []string{
		`picday_uploads_total{layout="jobs",outcome="added"} 1`, `picday_uploads_total{layout="jobs",outcome="problem"} 1`,
		`picday_ingest_seconds_count 1`, `picday_ingest_seconds_bucket{le="7200"} 1`,
		`picday_files{state="uploading"} 1`, `picday_files{state="waiting"} 0`, `picday_files{state="queued"} 0`,
		`picday_photos 1`, `picday_problems{reason="no-album"} 1`, `picday_stored_files{kind="rendition"} 2`, `picday_warnings 0`,
	} {
		s.Eventually(line, func() (bool, any) {
			_, text := scrape(token.Token)
			return strings.Contains(text, line+"\n"), text
		})
	}
	s.must(slow.Close())
}
