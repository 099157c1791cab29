package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

const (
	followerCount  = 300
	arrivingPhotos = 1000
	arrivingIn     = time.Minute
)

// BenchmarkFollowers is a day on which 300 tills and shops wait for changes, while 1,000
// photos a minute come in: how long after its transaction began each of them is told of
// each photo. The 300 clients are in this process, on the same cores.
func BenchmarkFollowers(b *testing.B) {
	for b.Loop() {
		w, _ := studio(b)
		if err := os.MkdirAll(w.album, 0o755); err != nil {
			b.Fatal(err)
		}
		token := tokenOf(b, w.World)
		d := w.StartDaemon()
		// Before anybody waits: the same, to see what followers cost.
		alone := w.arrive(b, d, "alone")
		all := make([][]time.Duration, followerCount)
		asked := make([]int, followerCount)
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: followerCount}}
		var ready, done sync.WaitGroup
		for i := range followerCount {
			ready.Add(1)
			done.Go(func() { all[i], asked[i] = follow(b, client, "http://"+w.Admin, token, ready.Done) })
		}
		ready.Wait()
		followed := w.arrive(b, d, "followed")
		done.Wait()
		behind := slices.Concat(all...)
		if len(behind) != followerCount*arrivingPhotos {
			b.Fatalf("%d times a follower was told of a photo, not %d", len(behind), followerCount*arrivingPhotos)
		}
		slices.Sort(behind)
		questions := 0
		for _, n := range asked {
			questions += n
		}
		b.ReportMetric(float64(behind[len(behind)/2].Milliseconds()), "behind-median-ms")
		b.ReportMetric(float64(behind[len(behind)*99/100].Milliseconds()), "behind-p99-ms")
		b.ReportMetric(float64(behind[len(behind)-1].Milliseconds()), "behind-max-ms")
		b.ReportMetric(float64(questions)/arrivingIn.Seconds(), "answers/s")
		b.ReportMetric(alone, "alone-cpu-percent")
		b.ReportMetric(followed, "followed-cpu-percent")
		d.Kill()
	}
	b.ReportMetric(0, "ns/op")
}

func tokenOf(b *testing.B, w *bed.World) string {
	b.Helper()
	var made struct{ Token string }
	w.JSON(&made, "token", "add", "bench")
	return made.Token
}

// arrive puts photos into the album, evenly, waits until all are published, and tells how
// busy picdayd was with them, in percent of one core.
func (w studioWorld) arrive(b *testing.B, d *bed.Daemon, name string) (percent float64) {
	b.Helper()
	s := catalogue(b, w.World)
	before, err := s.All().Counts(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	cpu, begin := cpuOf(b, family(b, d.Pid())), time.Now()
	for i := range arrivingPhotos {
		time.Sleep(time.Until(begin.Add(arrivingIn * time.Duration(i) / arrivingPhotos)))
		pic := testphoto.Vary(testphoto.Tiny(i), i+before.Photos)
		if err := os.WriteFile(filepath.Join(w.album, fmt.Sprintf("%s%d.jpg", name, i)), pic, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	for {
		c, err := s.All().Counts(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if c.Photos == before.Photos+arrivingPhotos {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return 100 * (cpuOf(b, family(b, d.Pid())) - cpu) / time.Since(begin).Seconds()
}

// follow waits for changes until it was told of all that arrives.
func follow(b *testing.B, client *http.Client, url, token string, ready func()) (behind []time.Duration, asked int) {
	ask := func(query string) (rows []time.Time, until int64) {
		r, err := http.NewRequest("GET", url+"/api/v1/photos?limit=1000"+query, nil)
		if err != nil {
			b.Error(err)
			return nil, 0
		}
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := client.Do(r)
		if err != nil {
			b.Error(err)
			return nil, 0
		}
		defer res.Body.Close()
		var answer struct {
			Photos []struct {
				IngestedAt time.Time `json:"ingested_at"`
			} `json:"photos"`
			ChangedUntil int64 `json:"changed_until"`
		}
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || res.StatusCode != http.StatusOK {
			b.Errorf("%s: %v", res.Status, err)
			return nil, 0
		}
		for _, p := range answer.Photos {
			rows = append(rows, p.IngestedAt)
		}
		return rows, answer.ChangedUntil
	}
	_, since := ask("")
	ready()
	for since != 0 && len(behind) < arrivingPhotos {
		rows, until := ask(fmt.Sprintf("&wait=30&changed_since=%d", since))
		now := time.Now()
		for _, at := range rows {
			behind = append(behind, now.Sub(at))
		}
		since = until
		asked++
	}
	return behind, asked
}

// BenchmarkCloseToMirror is the time from the moment the client closes an upload to the
// picture under its name in the directory of a picday mirror, on an idle machine.
func BenchmarkCloseToMirror(b *testing.B) {
	w := bed.New(b, bed.Options{Settle: time.Second})
	w.MustPicday("init")
	u := w.AddAccount("school", "portraits")
	w.StartDaemon()
	dir, file := filepath.Join(w.Dir, "mirror"), filepath.Join(w.Dir, "token")
	if err := os.WriteFile(file, []byte(tokenOf(b, w)), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := w.PicdayCmd("mirror", "http://"+w.Admin, dir, "--token-file", file)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	client, n := u.ByKey().MustWire(), 0
	var took []time.Duration
	for b.Loop() {
		n++
		name := fmt.Sprintf("%d.jpg", n)
		if err := client.Put("/"+u.Name+"/user-pictures/"+name, testphoto.Tiny(n)); err != nil {
			b.Fatal(err)
		}
		closed := time.Now()
		for {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				break
			} else if !strings.Contains(err.Error(), "no such file") {
				b.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		took = append(took, time.Since(closed))
	}
	mid := median(took)
	b.ReportMetric(float64(mid.Milliseconds()), "median-ms")
	b.ReportMetric(float64(slices.Max(took).Milliseconds()), "max-ms")
}
