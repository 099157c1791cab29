package web

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"picday/internal/control"
	"picday/internal/layout"
	"picday/store"
)

const prometheusDir = "../../packaging/prometheus/"

func someNumbers(context.Context) (Numbers, error) {
	at := time.Unix(1_700_000_000, 0)
	return Numbers{
		Status: control.Status{
			LastProvenAlive: &at, Waiting: 5, UploadingFiles: 3, Queued: 7, InProgress: make([]control.Progress, 2), OldestWaitingSeconds: 11,
			WatchedDirs: 13, PolledDirs: []string{"/a"}, LastScan: &control.Scan{At: at, Seconds: 0.5, Files: 17}, Overflows: 19, EventsProvenAt: &at, EventStreamsRebuilt: 23, WatchesMissing: 29,
			Rederive: &control.Rederive{Done: 1, Total: 24}, Warnings: []control.Warning{{Text: "a"}, {Text: "b"}},
		},
		Counts:   store.Counts{Photos: 29, OriginalFiles: 31, OriginalBytes: 37, RenditionFiles: 41, RenditionBytes: 43},
		Problems: map[layout.Reason]int{layout.NotJPEG: 47},
		People:   store.Undecided{Cards: 71, Nobodys: 73, Proposals: 79},
		Free:     map[string]uint64{"upload": 53, "data": 59},
		Outbox:   map[string]Outbox{"webhook:shop": {Waiting: 61, Oldest: 90 * time.Second, Failures: 67}},
	}, nil
}

func scrape(m *Metrics) string {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestMetrics(t *testing.T) {
	m := NewMetrics("1.2.3", someNumbers)
	m.Taken(layout.Jobs, store.Added, 1100*time.Millisecond)
	m.Taken(layout.Portraits, "", time.Hour)
	text := scrape(m)
	for _, line := range []string{
		`picday_uploads_total{layout="jobs",outcome="added"} 1`, `picday_uploads_total{layout="portraits",outcome="problem"} 1`,
		`picday_uploads_total{layout="portraits",outcome="moved"} 0`,
		`picday_ingest_seconds_bucket{le="1"} 0`, `picday_ingest_seconds_bucket{le="1.25"} 1`, `picday_ingest_seconds_count 1`,
		`picday_files{state="uploading"} 3`, `picday_files{state="waiting"} 2`, `picday_files{state="queued"} 7`, `picday_files{state="in_progress"} 2`,
		`picday_oldest_waiting_seconds 11`, `picday_problems{reason="not-jpeg"} 47`, `picday_problems{reason="no-album"} 0`,
		`picday_cards_waiting 71`, `picday_unassigned_photos 73`, `picday_proposals_waiting 79`,
		`picday_photos 29`, `picday_stored_files{kind="original"} 31`, `picday_stored_bytes{kind="original"} 37`,
		`picday_stored_files{kind="rendition"} 41`, `picday_stored_bytes{kind="rendition"} 43`,
		`picday_disk_free_bytes{volume="upload"} 53`, `picday_disk_free_bytes{volume="data"} 59`,
		`picday_last_proven_alive_timestamp_seconds 1.7e+09`, `picday_watched_folders 13`, `picday_polled_folders 1`, `picday_overflows_total 19`, `picday_events_proven_timestamp_seconds 1.7e+09`, `picday_event_streams_rebuilt_total 23`, `picday_watches_missing 29`,
		`picday_last_scan_timestamp_seconds 1.7e+09`, `picday_last_scan_duration_seconds 0.5`, `picday_last_scan_files 17`,
		`picday_outbox_waiting{via="webhook:shop"} 61`, `picday_outbox_oldest_seconds{via="webhook:shop"} 90`, `picday_outbox_failures_total{via="webhook:shop"} 67`,
		`picday_rederive_pending_photos 23`, `picday_warnings 2`, `picday_build_info{version="1.2.3"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
	if problems, err := testutil.GatherAndLint(m.registry); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// A catalogue that cannot be read takes its own numbers away, and no others.
func TestMetricsWithoutACatalogue(t *testing.T) {
	m := NewMetrics("", func(ctx context.Context) (Numbers, error) {
		n, _ := someNumbers(ctx)
		return n, errors.New("disk I/O error")
	})
	text := scrape(m)
	if strings.Contains(text, "picday_photos") || !strings.Contains(text, "picday_last_proven_alive_timestamp_seconds 1.7e+09\n") {
		t.Error(text)
	}
	// Nor does a daemon that has proven nothing yet break it.
	scrape(NewMetrics("", func(context.Context) (Numbers, error) { return Numbers{}, nil }))
}

// The table has every metric, and no alert speaks of one that is not there.
func TestMetricsAreDocumented(t *testing.T) {
	var have []string
	for name := range strings.Lines(scrape(NewMetrics("", someNumbers))) {
		if name, ok := strings.CutPrefix(name, "# TYPE picday_"); ok {
			have = append(have, "picday_"+strings.Fields(name)[0])
		}
	}
	names := func(file, pattern string) (all []string) {
		text, err := os.ReadFile(prometheusDir + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			all = append(all, m[1])
		}
		return all
	}
	table := names("README.md", "(?m)^\\| `(picday_[a-z_]+)")
	slices.Sort(have)
	slices.Sort(table)
	if !slices.Equal(have, table) {
		t.Errorf("have  %v\ntable %v", have, table)
	}
	alerts := names("alerts.yml", `(picday_[a-z_]+)`)
	if len(alerts) < 4 {
		t.Errorf("alerts speak of %v only", alerts)
	}
	for _, name := range alerts {
		if !slices.Contains(have, name) {
			t.Errorf("alerts.yml: there is no %s", name)
		}
	}
	if promtool, err := exec.LookPath("promtool"); err == nil {
		if out, err := exec.Command(promtool, "test", "rules", prometheusDir+"alerts_test.yml").CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
