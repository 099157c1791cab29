package web

import (
	"context"
	"slices"
	"sync"
	"time"

	"picday/internal/control"
	"picday/store"
)

// conditionsFor is how long a status is kept for the alerts of open pages: each page
// asks every second, and a status asks the catalogue and the disks.
const conditionsFor = 900 * time.Millisecond

// conditions keeps the last status for a moment.
type conditions struct {
	mu   sync.Mutex
	at   time.Time
	last control.Status
}

func (c *conditions) status(ctx context.Context, ask func(context.Context) control.Status) control.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) > conditionsFor {
		c.last = ask(ctx)
		c.at = time.Now() // after it: a status that takes long is kept as long as another
	}
	return c.last
}

// generalAlerts are what an operator of one account is told of the machine: that, but not
// why.
var generalAlerts = map[control.Kind]string{
	control.UploadsNotTaken: "Uploads are not taken in at the moment. They wait, and none is lost. Tell those who run this server.",
	control.VolumeAway:      "The disk with the uploads is not there at the moment. Photos stay published, and nothing is taken in or withdrawn. Tell those who run this server.",
	control.NotWithdrawn:    "Photos whose files were deleted cannot be withdrawn at the moment. Tell those who run this server.",
}

// alerts are the sentences at the top of every page that follows: what keeps picday from
// doing its work. A page that says nothing of it would look as if all were well.
func (g *gate) alerts(ctx context.Context, view store.View) (all []string) {
	st := g.conditions.status(context.WithoutCancel(ctx), g.Status)
	switch at := st.LastProvenAlive; {
	case at != nil && time.Since(*at) >= aliveFor, at == nil && st.Since != nil && time.Since(*st.Since) >= aliveFor:
		all = append(all, "picdayd is not proven to work: what is shown here may be old.")
	}
	var names []string
	if !view.Everything() {
		names, _ = view.AccountNames(ctx) // without them only what concerns everybody
	}
	for _, w := range st.Warnings {
		text := generalAlerts[w.Kind]
		if view.Everything() || w.Account != "" && slices.Contains(names, w.Account) {
			text = w.Text
		}
		if text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}
