package contract

import (
	"context"
	"strings"
	"time"

	"picday/store"
)

// A TrashedPhoto is one row of trash list.
type TrashedPhoto struct {
	Account     string    `json:"account"`
	Path        string    `json:"path"`
	SHA256      string    `json:"sha256"`
	WithdrawnAt time.Time `json:"withdrawn_at"`
	WithdrawnBy string    `json:"withdrawn_by,omitempty"` // an operator
	ExpiresAt   time.Time `json:"expires_at"`
	HasFile     bool      `json:"has_file"` // an operator has withdrawn it and its file is there: it does not end before that is gone
}

// NewTrashedPhoto shows a withdrawn photo; the trash keeps it for keep.
func NewTrashedPhoto(p store.Photo, keep time.Duration) TrashedPhoto {
	return TrashedPhoto{
		Account: p.Account, Path: p.Path, SHA256: p.SHA.String(),
		WithdrawnAt: p.WithdrawnAt, WithdrawnBy: p.WithdrawnBy, ExpiresAt: end(p.WithdrawnAt, keep),
	}
}

// end is when the trash ends what came into it. JSON has no later year than
// that of LatestTime.
func end(from time.Time, keep time.Duration) time.Time {
	if ends := from.Add(keep); ends.Before(store.LatestTime) {
		return ends
	}
	return store.LatestTime
}

// A Picture is one row of photo history: the current picture of a photo, or an
// earlier one.
type Picture struct {
	Account    string     `json:"account"`
	Path       string     `json:"path"`
	Current    bool       `json:"current"`
	SHA256     string     `json:"sha256"`
	Bytes      int64      `json:"bytes"`
	Width      int        `json:"width"`
	Height     int        `json:"height"`
	TakenLocal string     `json:"taken_local,omitempty"`
	Camera     string     `json:"camera,omitempty"`
	Serial     string     `json:"serial,omitempty"`
	IngestedAt time.Time  `json:"ingested_at"`
	ReplacedAt *time.Time `json:"replaced_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
}

// NewPicture shows an earlier picture of a photo, which the trash keeps for
// keep, or, without ReplacedAt, the current one.
func NewPicture(p store.Photo, h store.EarlierPicture, c store.Camera, keep time.Duration) Picture {
	v := Picture{
		Account: p.Account, Path: p.Path, Current: h.ReplacedAt.IsZero(), SHA256: h.SHA.String(), Bytes: h.Bytes, Width: h.Width, Height: h.Height,
		Camera: c.Model, Serial: c.Serial, IngestedAt: h.IngestedAt,
	}
	if !c.TakenAt.IsZero() {
		v.TakenLocal = c.TakenAt.Format("2006-01-02T15:04:05.999")
	}
	if !v.Current {
		ends := end(h.ReplacedAt, keep)
		v.ReplacedAt, v.ExpiresAt = &h.ReplacedAt, &ends
	}
	return v
}

// A Link is what link show and link rotate print.
type Link struct {
	Account     string     `json:"account"`
	Path        string     `json:"path"`
	Person      string     `json:"person,omitempty"`
	Link        string     `json:"link"`
	URL         string     `json:"url"`
	WithdrawnAt *time.Time `json:"withdrawn_at,omitempty"`
}

// NewLink shows a photo's link, which begins with publicURL.
func NewLink(p store.Photo, publicURL string) Link {
	v := Link{Account: p.Account, Path: p.Path, Person: p.Person, Link: p.Link, URL: publicURL + "/" + p.Link + ".jpg"}
	if !p.WithdrawnAt.IsZero() {
		v.WithdrawnAt = &p.WithdrawnAt
	}
	return v
}

// An AccountLogin is one row of account login list.
type AccountLogin struct {
	Account   string    `json:"account"`
	Name      string    `json:"name"`
	Enabled   bool      `json:"enabled"` // it lets somebody in
	Ended     bool      `json:"ended"`   // its last day is over
	Until     *string   `json:"until"`   // its last day by the machine's clock, 2026-07-31; null = no end
	CreatedAt time.Time `json:"created_at"`
}

// NewAccountLogin shows a log-in of an account as it is now.
func NewAccountLogin(a store.Account, l store.Login, now time.Time) AccountLogin {
	v := AccountLogin{Account: a.Name, Name: l.Name, Ended: l.Ended(now), CreatedAt: l.CreatedAt.UTC()}
	v.Enabled = a.Enabled && !v.Ended
	if day := l.Until.String(); day != "" {
		v.Until = &day
	}
	return v
}

// A Login is one row of operator list or token list.
type Login struct {
	Name      string    `json:"name"`
	Account   string    `json:"account"` // "" = all
	CreatedAt time.Time `json:"created_at"`
	Role      string    `json:"role,omitempty"` // of an operator: look, work, admin

	Email      string   `json:"email,omitempty"`       // of an operator: where he is told of events
	EmailAbout []string `json:"email_about,omitempty"` // only of these accounts
}

// Mail says in words where the operator is told of events, and of which.
func (l Login) Mail() string {
	switch {
	case l.Email == "":
		return l.Name + " gets no mail about events"
	case len(l.EmailAbout) > 0:
		return l.Name + " gets mail at " + l.Email + " about events of " + strings.Join(l.EmailAbout, ", ")
	}
	return l.Name + " gets mail at " + l.Email + " about all events that he may see"
}

// Sees says in words what the login shows.
func (l Login) Sees() string {
	if l.Account == "" {
		return "all accounts"
	}
	return "only the account " + l.Account
}

// A NewOperator is what operator add prints.
type NewOperator struct {
	Name     string `json:"name"`
	Account  string `json:"account"`            // "" = all
	Role     string `json:"role"`               // look, work, admin
	Password string `json:"password,omitempty"` // only when it was just generated
}

// NewOperatorLogin shows an operator.
func NewOperatorLogin(o store.Operator) Login {
	return Login{Name: o.Name, Account: o.Account, CreatedAt: o.CreatedAt, Role: string(o.Role)}
}

// A NewToken is what token add prints.
type NewToken struct {
	Name    string `json:"name"`
	Account string `json:"account"` // "" = all
	Token   string `json:"token"`
}

// History shows the pictures that a photo is and was, the latest first. The trash keeps
// the earlier ones for keep.
func History(ctx context.Context, s *store.Store, p store.Photo, keep time.Duration) (all []Picture, err error) {
	past, err := s.All().History(ctx, p)
	if err != nil {
		return nil, err
	}
	current := store.EarlierPicture{SHA: p.SHA, Bytes: p.Bytes, Width: p.Width, Height: p.Height, IngestedAt: p.IngestedAt}
	for _, h := range append([]store.EarlierPicture{current}, past...) {
		o, _, err := s.Original(ctx, h.SHA)
		if err != nil {
			return nil, err
		}
		all = append(all, NewPicture(p, h, o.Camera, keep))
	}
	return all, nil
}

// NewLogin shows an operator or a token.
func NewLogin(t store.Token) Login {
	return Login{Name: t.Name, Account: t.Account, CreatedAt: t.CreatedAt}
}

// Place is where the photo was; the tool lists the trash in this order.
func (p TrashedPhoto) Place() (account, path string) { return p.Account, p.Path }
