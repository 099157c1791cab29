package tables

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"picday/internal/contract"
	"picday/internal/terminal"
)

var at = time.Date(2026, 9, 14, 8, 30, 0, 0, time.Local)

const (
	then = "2026-09-14 08:30:00"
	sha  = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// shows requires the rows, with | between the columns, and a name for every column.
func shows[T any](t *testing.T, table terminal.Table[T], list []T, rows ...string) {
	t.Helper()
	columns := strings.Count(table.Head, "\t")
	for i, v := range list {
		row := table.Row(v)
		if got := strings.Join(row, "|"); got != rows[i] || len(row) != columns+1 {
			t.Errorf("%s below %q\nwant %s", got, table.Head, rows[i])
		}
	}
}

func TestTables(t *testing.T) {
	open, closed, damaged := contract.Account{}, contract.Account{}, contract.Account{Damaged: true}
	open.Account, open.Enabled, open.TimeZone, open.CreatedAt, open.Layout = "acme", true, "UTC", at, "jobs"
	closed.AllowFrom = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	shows(t, Accounts, []contract.Account{open, closed, damaged},
		"acme|jobs|enabled|anywhere|UTC|"+then, "||disabled|192.0.2.0/24||-", "||damaged|see picday doctor||-")
	day := "2026-09-30"
	shows(t, AccountLogins, []contract.AccountLogin{{Name: "anna", Enabled: true, Until: &day, CreatedAt: at}, {Name: "bert"}, {Name: "carl", Ended: true, Until: &day}},
		"anna|enabled|2026-09-30|"+then, "bert|disabled|-|-", "carl|ended|2026-09-30|-")
	job := contract.Job{Account: "acme", Job: "job1", State: "planned", ChangedAt: at}
	job.Albums, job.Photos, job.Problems, job.Expected, job.Arrival = 1, 2, 3, 9, contract.ArrivalMissing
	shows(t, Jobs, []contract.Job{job}, "acme|job1|planned|1|2 of 9|3|missing|"+then)
	shows(t, Photos, []contract.Photo{{Account: "acme", Path: "job1/A/x.jpg", Width: 3000, Height: 2000, Bytes: 1_500_000, IngestedAt: at, Flags: []string{"small", "unusual"}, URL: "u"}},
		"acme|job1/A/x.jpg|3000×2000|1.5 MB|"+then+"|small unusual|u")
	shows(t, Problems, []contract.Problem{{Account: "acme", Path: "p", Reason: "bad_name", Since: at, Message: "Rename it.", DeleteAfter: &at}},
		"acme|p|bad_name|"+then+"|Rename it. It is deleted after "+then+".")
	shows(t, Pictures, []contract.Picture{
		{SHA256: sha, Current: true, Width: 3, Height: 2, Bytes: 2_000_000, IngestedAt: at, TakenLocal: "2026-09-14T08:30:00", Camera: "EOS"},
		{SHA256: sha, Width: 3, Height: 2, Bytes: 2_000_000, IngestedAt: at, ReplacedAt: &at, ExpiresAt: &at},
	}, "0123456789ab|3×2|2.0 MB|"+then+"|EOS|"+then+"|now|-", "0123456789ab|3×2|2.0 MB|-|-|"+strings.Join([]string{then, then, then}, "|"))
	shows(t, Trash, []contract.TrashedPhoto{{Account: "acme", Path: "p", SHA256: sha, WithdrawnAt: at, ExpiresAt: at}, {Account: "acme", Path: "p", SHA256: sha, WithdrawnBy: "eva", HasFile: true}},
		"acme|p|0123456789ab|"+then+"|uploader|"+then, "acme|p|0123456789ab|-|eva|not while its file is there")
	shows(t, Tokens, []contract.Login{{Name: "eva", CreatedAt: at}, {Name: "otto", Account: "acme"}}, "eva|all accounts|"+then, "otto|only the account acme|-")
	shows(t, Operators, []contract.Login{{Name: "otto", Role: "look", Account: "acme", Email: "o@example.org", EmailAbout: []string{"acme"}, CreatedAt: at}},
		"otto|look|only the account acme|o@example.org (acme)|"+then)
	waits := contract.Delivery{To: "webhook:shop", State: "waiting", At: at, Tries: 1, Error: "refused", Next: &at}
	shows(t, Deliveries, []contract.Delivery{waits, {To: "mail:eva", State: "delivered", At: at}},
		"webhook:shop|waiting|"+then+"|refused, the next try is at "+then, "mail:eva|delivered|"+then+"|-")
	shows(t, Events, []contract.Notice{{ID: "evt_1", At: at, Message: "m"}, {ID: "evt_2", At: at, Message: "n", Deliveries: []contract.Delivery{waits, {State: "delivered"}}}},
		"evt_1|"+then+"|m|to nobody", "evt_2|"+then+"|n|1 of 2; waiting: webhook:shop (refused)")
	shows(t, Operators, []contract.Login{{Name: "eva", Role: "admin", CreatedAt: at}}, "eva|admin|all accounts|-|"+then)
}
