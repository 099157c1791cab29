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
	"picday/store"
)

// Admin is what the administration listener works with.
type Admin struct {
	Store   *store.Store
	Writer  Writer
	Status  func(context.Context) control.Status
	Healthy func() error // for /healthz, as in Public
	Metrics http.Handler // for /metrics; nil = there are none
	Site    Site
	Hosts   []string       // the names of the listener; addresses and localhost are always right
	Proxies []netip.Prefix // of web servers in front, which say for whom they ask
	// BrowserKey signs what known browsers keep: 32 bytes, of store.DeriveKey
	// for BrowserKeyPurpose.
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
	Renditions []store.RenditionSpec // the first is what a link shows
	Originals  func(store.SHA) string
	Files      func(store.SHA, store.RenditionSpec) string
	TrashKeep  time.Duration // how long withdrawn photos are kept
	Disks      func() []Disk // nil = not known
}

// A route is one thing that can be asked for. Everything on the listener is in
// the table of routes, and nobody gets to a handler but by its access.
type route struct {
	method, pattern string // of http.ServeMux; a pattern names one path, never all below it
	access          access
	serve           handler
}

// A handler answers a visit. What it returns as an error becomes the answer,
// unless it has written one: see fail.
type handler func(http.ResponseWriter, *visit) error

func (g *gate) routes() []route {
	return slices.Concat([]route{
		{"GET", healthPath, open, g.health},
		{"GET", "/login", open, g.logInPage},
		{"POST", "/login", open, g.logIn},
		{"POST", "/logout", operator, g.logOut},
		{"GET", "/assets/{version}/{file}", open, serveAsset},
		{"GET", "/metrics", machine, g.metrics},
		{"GET", "/photos/{id}/original", operator, serveOriginal},
		{"GET", "/photos/{id}/{file}", operator, serveRendition},
	}, pageRoutes(), apiRoutes())
}

// maxBody is more than any form here has.
const maxBody = 64 << 10

// A gate stands before all handlers. It alone has the whole catalogue.
type gate struct {
	Admin
	hosts    map[string]bool
	logins   *logins
	unnamed  sync.Once // a web server that is not in Proxies was spoken of
	sessions sessions
	streams  streams
	mux      *http.ServeMux
	cross    *http.CrossOriginProtection
	stopping chan struct{}
	stop     func()
}

// NewAdmin makes the handler of the administration listener.
func NewAdmin(a Admin) http.Handler { return newGate(a) }

func newGate(a Admin) *gate {
	g := &gate{Admin: a, hosts: map[string]bool{}, logins: newLogins(), streams: streams{of: map[string]int{}}, mux: http.NewServeMux(), cross: http.NewCrossOriginProtection(), stopping: make(chan struct{})}
	g.stop = sync.OnceFunc(func() { close(g.stopping) })
	for _, host := range a.Hosts {
		g.hosts[hostName(host)] = true
	}
	for _, rt := range g.routes() {
		g.mux.Handle(rt.method+" "+rt.pattern, g.guard(rt.access, rt.serve))
	}
	return g
}

// Stop tells answers that have no end of their own to end. The Server calls it.
func (g *gate) Stop() { g.stop() }

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setAdminHeader(w.Header())
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
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
	// What is not there is nobody's business without a log-in either.
	need := operator
	if isMachine(r.URL.Path) {
		need = token
	}
	g.guard(need, g.noRoute).ServeHTTP(w, r)
}

// clean tells whether a path is its own only spelling.
func clean(p string) bool { return strings.HasPrefix(p, "/") && path.Clean(p) == p }

// isMachine tells the paths that programs ask for.
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
			return refuse(http.StatusMethodNotAllowed, "Only "+strings.Join(allowed, " and ")+" can be used here.")
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
