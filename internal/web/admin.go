package web

import (
	"context"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/control"
	"picday/internal/language"
	"picday/internal/rendition"
	"picday/store"
	"picday/store/pictures"
)

// Admin is what the administration listener works with.
type Admin struct {
	Store  *store.Store
	Writer Writer
	Jobs   Jobs // nil: jobs are not put on sale on the pages
	Root   Root // what root's helper does; the zero Root: nothing
	// Preview makes a small JPEG of a file that is a problem, store.ErrNotFound if it shows
	// none; nil: there are none.
	Preview func(context.Context, store.Account, store.Problem) ([]byte, error)
	Status  func(context.Context) control.Status
	Healthy func() error // for /healthz, as in Public
	Metrics http.Handler // for /metrics; nil: there are none
	Site    Site
	Hosts   []string       // the names of the listener; addresses and localhost are always accepted
	Proxies []netip.Prefix // the networks of web servers in front
	// BrowserKey signs the cookies of known browsers: 32 bytes, from store.DeriveKey for
	// BrowserKeyPurpose.
	BrowserKey []byte
	Log        zerolog.Logger
}

// A Writer commits changes of the catalogue; store.Writer is one.
type Writer interface {
	Do(ctx context.Context, apply func(*store.Tx) error) error
}

// A Site is what handlers know of the installation.
type Site struct {
	PublicURL  string // what links begin with
	Host       string // where uploaders connect to
	Port       int
	Renditions []rendition.Spec // the first is what a link shows
	Files      *pictures.Files
	TrashKeep  time.Duration     // how long withdrawn photos are kept
	Disks      func() []Disk     // nil = not known
	Language   language.Language // of pages for browsers that prefer none of ours
}

// A route is one entry of the table of routes, which has everything that the listener
// serves. A handler is called only if the request has its access.
type route struct {
	method, pattern string // of http.ServeMux; a pattern names one path, never all below it
	access          access
	serve           handler
}

// A handler answers a visit. If it returns an error, which it may only do before it has
// written an answer, fail writes the answer.
type handler func(http.ResponseWriter, *visit) error

func (g *gate) routes() []route {
	return slices.Concat([]route{
		{"GET", healthPath, open, g.health},
		{"GET", "/login", open, g.logInPage},
		{"POST", "/login", open, g.logIn},
		{"POST", "/logout", operator, g.logOut},
		{"POST", "/language", open, g.setLanguage},
		{"GET", "/assets/{version}/{file}", open, serveAsset},
		{"GET", "/metrics", machine, g.metrics},
		{"GET", "/photos/{id}/original", operator, serveOriginal},
		{"GET", "/photos/{id}/{file}", operator, serveRendition},
	}, pageRoutes(), apiRoutes())
}

// maxBody bounds the body of a request, in bytes. No form here is nearly as long, but those
// that bring a file.
const maxBody = 64 << 10

// A gate checks each request before its handler gets it. Only the gate has the whole
// catalogue; a handler has a view.
type gate struct {
	Admin
	hosts    map[string]bool
	logins   *logins
	unnamed  sync.Once // for logging that a web server is not in Proxies
	sessions sessions
	streams  streams
	// downloads are those of many photos.
	downloads streams
	// bringing are the lists of people that are arriving, exports those that run; making has a place for one thing
	// that takes much of a processor and of memory.
	bringing, exports streams
	making            chan struct{}
	// conditions is the status that alerts are made of.
	conditions conditions
	// wordsOf gives the words of a language; a test marks them.
	wordsOf  func(language.Language) *language.Words
	watch    watch
	mux      *http.ServeMux
	cross    *http.CrossOriginProtection
	stopping chan struct{}
	stop     func()
}

// NewAdmin makes the handler of the administration listener.
func NewAdmin(a Admin) http.Handler { return newGate(a) }

func newGate(a Admin) *gate {
	g := &gate{Admin: a, hosts: map[string]bool{}, logins: newLogins(), streams: streams{of: map[string]int{}}, downloads: streams{of: map[string]int{}}, bringing: streams{of: map[string]int{}}, exports: streams{of: map[string]int{}}, making: make(chan struct{}, 1), wordsOf: language.In, mux: http.NewServeMux(), cross: http.NewCrossOriginProtection(), stopping: make(chan struct{})}
	g.watch = watch{commits: a.Store.OpenCommits, stopping: g.stopping, waiting: map[string]int{}}
	g.stop = sync.OnceFunc(func() { close(g.stopping) })
	for _, host := range a.Hosts {
		g.hosts[hostName(host)] = true
	}
	for _, rt := range g.routes() {
		body := int64(maxBody)
		if strings.HasPrefix(rt.pattern, "/rosters/") {
			body = maxList
		}
		h := g.guard(rt.access, body, rt.serve)
		if strings.HasPrefix(rt.pattern, "/api/") {
			h = packed(h)
		}
		g.mux.Handle(rt.method+" "+rt.pattern, h)
	}
	return g
}

// Stop ends the streams of events, and answers those who wait. The Server calls it when it shuts down.
func (g *gate) Stop() { g.stop() }

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setAdminHeader(w.Header())
	if err := g.checkHost(r); err != nil {
		g.fail(w, &visit{Request: r}, err)
		return
	}
	if err := g.cross.Check(r); err != nil {
		g.fail(w, &visit{Request: r}, refuse(http.StatusForbidden, "This was sent from another site, and is not done. Open the page here and do it there."))
		return
	}
	if _, pattern := g.mux.Handler(r); pattern != "" && clean(r.URL.Path) {
		g.mux.ServeHTTP(w, r)
		return
	}
	// Without a log-in nobody is told what is not there either.
	need := operator
	if isMachine(r.URL.Path) {
		need = token
	}
	g.guard(need, maxBody, g.noRoute).ServeHTTP(w, r)
}

// clean tells whether a path has no other, shorter spelling.
func clean(p string) bool { return strings.HasPrefix(p, "/") && path.Clean(p) == p }

// isMachine tells whether a path is for programs.
func isMachine(path string) bool {
	return strings.HasPrefix(path, "/api/") || path == "/api" || path == "/metrics"
}

func (g *gate) noRoute(w http.ResponseWriter, v *visit) error {
	if clean(v.URL.Path) {
		var allowed []string
		for _, method := range []string{"GET", "POST"} {
			other := v.Clone(v.Context())
			other.Method = method
			if _, pattern := g.mux.Handler(other); pattern != "" {
				allowed = append(allowed, method)
			}
		}
		if allowed != nil {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			return refuse(http.StatusMethodNotAllowed, "Only %s can be used here.", strings.Join(allowed, ", "))
		}
	}
	return store.ErrNotFound
}

func (g *gate) health(w http.ResponseWriter, _ *visit) error {
	w.Header().Set("Cache-Control", "no-store")
	serveHealth(w, g.Healthy())
	return nil
}

func (g *gate) metrics(w http.ResponseWriter, v *visit) error {
	if g.Metrics == nil {
		return store.ErrNotFound
	}
	g.Metrics.ServeHTTP(w, v.Request)
	return nil
}
