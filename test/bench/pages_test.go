package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/control"
	"picday/internal/layout"
	"picday/internal/test/catalogues"
	"picday/internal/web"
	"picday/store"
)

// catalogueSize is how many photos a large catalogue has.
func catalogueSize(b *testing.B) int {
	n, err := strconv.Atoi(os.Getenv("PICDAY_BENCH_PHOTOS"))
	if err != nil {
		n = 1_000_000
	}
	if n < 10_000 {
		b.Fatal("PICDAY_BENCH_PHOTOS: at least 10000")
	}
	return n
}

// BenchmarkPages measures the time from the request to the first byte of the
// answer, over HTTP, on a catalogue of a million photos with an album of 5,000.
func BenchmarkPages(b *testing.B) {
	s, _, err := store.Create(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const studios, jobs, albums = 20, 50, 25
	rest := catalogueSize(b) - 5000 - 4000
	plan := catalogues.Plan{Accounts: []catalogues.Account{{Name: "lincoln", Layout: layout.Portraits, People: 4000, Problem: 50}}}
	for i := range studios {
		a := catalogues.Account{Name: fmt.Sprintf("studio%02d", i), Layout: layout.Jobs, Problem: 10}
		for j := range jobs {
			job := catalogues.Job{Name: fmt.Sprintf("job%05d", j)}
			for k := range albums {
				job.Albums = append(job.Albums, catalogues.Album{Name: fmt.Sprintf("Class %d", k), Individuals: rest/studios/jobs/albums - 1, Group: 1})
			}
			if i == 0 && j == 0 {
				job.Albums = append(job.Albums, catalogues.Album{Name: "Everybody", Individuals: 4990, Group: 10})
			}
			a.Jobs = append(a.Jobs, job)
		}
		plan.Accounts = append(plan.Accounts, a)
	}
	if err := catalogues.Fill(b.Context(), s, plan); err != nil {
		b.Fatal(err)
	}
	counts, err := s.All().Counts(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d photos, %d problems", counts.Photos, counts.Problems)
	var cookie string
	hash, err := store.HashPassword("correct horse")
	if err == nil {
		err = s.Update(b.Context(), func(tx *store.Tx) error {
			if err := tx.AddOperator(store.Operator{Name: "eva"}, hash); err != nil {
				return err
			}
			cookie, err = tx.StartSession("eva", hash)
			return err
		})
	}
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(web.NewAdmin(web.Admin{
		Store: s, Healthy: func() error { return nil }, Log: zerolog.Nop(),
		Status: func(context.Context) control.Status { return control.Status{Running: true} },
		Site:   web.Site{Renditions: catalogues.Specs, Files: s.Files(), TrashKeep: 720 * time.Hour},
	}))
	defer server.Close()
	for _, path := range []string{
		"/", "/jobs/studio00/job00000/Everybody", "/jobs/studio00/job00000/Everybody?sort=taken",
		"/jobs/studio00/job00000/Everybody?area=individuals&after=IMG_2000.jpg&id=1", "/jobs", "/jobs/studio07/job00033", "/portraits", "/photos/77777",
		"/jobs?sort=latest", "/jobs?back=1", "/jobs/studio00/job00000/Everybody?area=individuals&back=1", "/portraits?q=12",
		"/search?q=IMG_0012", "/search?q=Class+7", "/search?q=job00033", "/search?q=1",
		"/problems", "/problems/1", "/activity", "/activity?q=Class+24", "/trash", "/accounts",
	} {
		b.Run(path, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				took = append(took, firstByte(b, server.URL+path, cookie))
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2].Seconds()*1000, "ms-first-byte")
			b.ReportMetric(took[len(took)-1].Seconds()*1000, "ms-worst")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func firstByte(b *testing.B, url, cookie string) time.Duration {
	b.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "picday", Value: cookie})
	var first time.Time
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotFirstResponseByte: func() { first = time.Now() }})
	began := time.Now()
	res, err := http.DefaultClient.Do(req.WithContext(ctx))
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		b.Fatal(url, res.Status, err)
	}
	return first.Sub(began)
}
