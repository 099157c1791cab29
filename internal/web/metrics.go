package web

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"picday/internal/control"
	"picday/internal/layout"
	"picday/store"
)

// Numbers are what a scrape reads. None of them may cost more the more photos
// there are.
type Numbers struct {
	Status   control.Status
	Counts   store.Counts
	Problems map[layout.Reason]int
	People   store.Undecided
	Free     map[string]uint64 // bytes, by volume: upload, data
	Outbox   map[string]Outbox // by way of delivery: mail, webhook:NAME
}

// Outbox is the state of the deliveries one way.
type Outbox struct {
	Waiting  int
	Oldest   time.Duration // how long the first has waited; 0 = none does
	Failures int64         // attempts that failed since the start
}

// Metrics are picday's numbers for Prometheus; the handler for /metrics. They
// are described in packaging/prometheus/README.md.
type Metrics struct {
	http.Handler
	registry *prometheus.Registry
	uploads  *prometheus.CounterVec
	ingest   prometheus.Histogram
}

// problemOutcome is the outcome of a file that could not become a photo.
const problemOutcome = "problem"

// NewMetrics makes a registry of its own. read is called for each scrape.
func NewMetrics(version string, read func(context.Context) (Numbers, error)) *Metrics {
	m := &Metrics{
		uploads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "picday_uploads_total", Help: "Uploaded files that were looked at and dealt with, by what became of them.",
		}, []string{"layout", "outcome"}),
		ingest: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "picday_ingest_seconds", Help: "From the last change of an upload to its publication, settling included; new and replaced photos.",
			Buckets: []float64{0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 10, 30, 60, 300, 1800, 7200},
		}),
	}
	// Made at the start: otherwise Prometheus does not see the first event as an increase.
	for _, layout := range []layout.Kind{layout.Jobs, layout.Portraits} {
		for _, outcome := range []store.Outcome{
			store.Added, store.Replaced, store.Moved, store.Restored, store.Unchanged, store.Duplicate, store.StillWithdrawn, store.AlreadyReverted, store.Sidecar, problemOutcome,
		} {
			m.uploads.WithLabelValues(string(layout), string(outcome))
		}
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "picday_build_info", Help: "Always 1; the version is in the label.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry = prometheus.NewRegistry()
	m.registry.MustRegister(m.uploads, m.ingest, build, gauges{read},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	// If something cannot be read, the rest is shown all the same.
	m.Handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4})
	return m
}

// Taken counts a file that has been dealt with; an empty outcome is a problem.
func (m *Metrics) Taken(layout layout.Kind, outcome store.Outcome, took time.Duration) {
	if outcome == "" {
		outcome = problemOutcome
	}
	m.uploads.WithLabelValues(string(layout), string(outcome)).Inc()
	if outcome == store.Added || outcome == store.Replaced {
		m.ingest.Observe(took.Seconds())
	}
}

// gauges reads the numbers at each scrape.
type gauges struct {
	read func(context.Context) (Numbers, error)
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("picday_"+name, help, labels, nil)
}

var (
	alive          = desc("last_proven_alive_timestamp_seconds", "When watcher and catalogue were last proven to work; 0 = not yet.")
	files          = desc("files", "Uploaded files not yet dealt with: being uploaded, waiting to settle, settled and queued, in progress.", "state")
	oldest         = desc("oldest_waiting_seconds", "For how long the oldest file that is being uploaded or waits to settle has been known.")
	problems       = desc("problems", "Files that cannot become a photo, by reason.", "reason")
	cards          = desc("cards_waiting", "Pictures of cards that wait for a person.")
	nobodys        = desc("unassigned_photos", "Photos of nobody in albums with cards.")
	proposed       = desc("proposals_waiting", "Changes of who is on photos that wait for a person.")
	photos         = desc("photos", "Published photos.")
	stored         = desc("stored_files", "Files in the data directory.", "kind")
	storedSize     = desc("stored_bytes", "Their size.", "kind")
	free           = desc("disk_free_bytes", "Room left for picday's user on the volume.", "volume")
	watched        = desc("watched_folders", "Upload folders watched through inotify.")
	polled         = desc("polled_folders", "Upload folders listed every few seconds instead: not readable, or no watch left.")
	overflows      = desc("overflows_total", "Overflows of the kernel's event queue; each is made up for by a scan.")
	proven         = desc("events_proven_timestamp_seconds", "When the kernel's events were last proven to arrive; 0 = all folders are polled.")
	rebuilt        = desc("event_streams_rebuilt_total", "How often all folders were watched anew, because events did not arrive.")
	lostWatches    = desc("watches_missing", "Folders whose watch the kernel has lost, by the last scan of everything.")
	scanned        = desc("last_scan_timestamp_seconds", "When the last scan of everything began; 0 = none yet.")
	scanTook       = desc("last_scan_duration_seconds", "How long it took.")
	scanFiles      = desc("last_scan_files", "How many files it saw.")
	remaking       = desc("rederive_pending_photos", "Photos whose renditions are still to be made anew for a changed configuration.")
	undelivered    = desc("outbox_waiting", "Deliveries of events that wait, or are tried again.", "via")
	undeliveredFor = desc("outbox_oldest_seconds", "How long the first of them has waited; 0 = none does.", "via")
	notDelivered   = desc("outbox_failures_total", "Attempts to deliver events that failed.", "via")
	warnings       = desc("warnings", "What keeps picday from doing all of its work: picday status names it.")
)

func (g gauges) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		alive, files, oldest, problems, photos, stored, storedSize, free, watched, polled, overflows, proven, rebuilt, lostWatches,
		scanned, scanTook, scanFiles, remaking, warnings,
		undelivered, undeliveredFor, notDelivered, cards, nobodys, proposed,
	} {
		to <- d
	}
}

// scrapeTime is how long reading the numbers may take; after it a scrape gets what there is,
// so that a daemon that hangs is seen to be there.
const scrapeTime = 5 * time.Second

func (g gauges) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	n, err := g.read(ctx)
	st := n.Status
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	when := func(d *prometheus.Desc, t *time.Time) {
		if t == nil {
			t = new(time.Unix(0, 0))
		}
		gauge(d, float64(t.UnixMilli())/1000)
	}
	when(alive, st.LastProvenAlive)
	gauge(files, float64(st.UploadingFiles), "uploading")
	gauge(files, float64(st.Waiting-st.UploadingFiles), "waiting")
	gauge(files, float64(st.Queued), "queued")
	gauge(files, float64(len(st.InProgress)), "in_progress")
	gauge(oldest, st.OldestWaitingSeconds)
	gauge(watched, float64(st.WatchedDirs))
	gauge(polled, float64(len(st.PolledDirs)))
	to <- prometheus.MustNewConstMetric(overflows, prometheus.CounterValue, float64(st.Overflows))
	when(proven, st.EventsProvenAt)
	to <- prometheus.MustNewConstMetric(rebuilt, prometheus.CounterValue, float64(st.EventStreamsRebuilt))
	gauge(lostWatches, float64(st.WatchesMissing))
	if st.LastScan == nil {
		st.LastScan = &control.Scan{At: time.Unix(0, 0)}
	}
	when(scanned, &st.LastScan.At)
	gauge(scanTook, st.LastScan.Seconds)
	gauge(scanFiles, float64(st.LastScan.Files))
	pending := 0
	if st.Rederive != nil {
		pending = st.Rederive.Total - st.Rederive.Done
	}
	gauge(remaking, float64(pending))
	gauge(warnings, float64(len(st.Warnings)))
	for volume, bytes := range n.Free {
		gauge(free, float64(bytes), volume)
	}
	for via, o := range n.Outbox {
		gauge(undelivered, float64(o.Waiting), via)
		gauge(undeliveredFor, o.Oldest.Seconds(), via)
		to <- prometheus.MustNewConstMetric(notDelivered, prometheus.CounterValue, float64(o.Failures), via)
	}
	if err != nil { // no number rather than a wrong one
		for _, d := range []*prometheus.Desc{photos, problems, stored, storedSize, cards, nobodys, proposed} {
			to <- prometheus.NewInvalidMetric(d, err)
		}
		return
	}
	gauge(photos, float64(n.Counts.Photos))
	gauge(cards, float64(n.People.Cards))
	gauge(nobodys, float64(n.People.Nobodys))
	gauge(proposed, float64(n.People.Proposals))
	for _, reason := range layout.Reasons {
		gauge(problems, float64(n.Problems[reason]), string(reason))
	}
	gauge(stored, float64(n.Counts.OriginalFiles), "original")
	gauge(stored, float64(n.Counts.RenditionFiles), "rendition")
	gauge(storedSize, float64(n.Counts.OriginalBytes), "original")
	gauge(storedSize, float64(n.Counts.RenditionBytes), "rendition")
}
