package store

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/qr"
	"picday/internal/series"
)

// A shoot is a world whose files are shots of two cameras, which have photographed each
// child's card and then the child. A content is the number of a shot and that of a version.
type shoot struct {
	cards
	taken []taken
	count int // of versions
}

// A taken is one shot.
type taken struct {
	camera, number int
	codes          string // on the card, with spaces between; "" = no card
	unread         bool   // of which the decoder reads nothing
	of             string // the codes of who is truly on it, with spaces between
}

// Both cameras name their files alike.
func (s taken) file() string { return fmt.Sprintf("IMG_%04d.JPG", s.number) }

func newShoot(t *testing.T, seed uint64) *shoot {
	w := &shoot{cards: newCards(t)}
	w.rng = rand.New(rand.NewPCG(seed, 11))
	child := 0
	for camera := range 2 {
		number := 9990 + w.rng.IntN(20) // some pass 9999
		add := func(s taken) {
			s.camera = camera
			if s.number = number % 10000; s.number == 0 {
				s.number, number = 1, number+1
			}
			number++
			w.taken = append(w.taken, s)
		}
		add(taken{}) // before the first card
		for range 4 {
			child++
			codes := fmt.Sprint("K", child)
			switch w.rng.IntN(6) {
			case 0: // siblings
				child++
				codes += fmt.Sprint(" K", child)
			case 1:
				codes = fmt.Sprint("K", 1+w.rng.IntN(child)) // once more
			}
			add(taken{codes: codes, unread: w.rng.IntN(6) == 0, of: codes})
			for range 1 + w.rng.IntN(2) {
				add(taken{of: codes})
			}
		}
	}
	w.decode = func(content string, o *Original) {
		var at int
		_, err := fmt.Sscanf(content, "%d.", &at)
		w.must(err)
		s := w.taken[at]
		o.Camera = Camera{Serial: fmt.Sprint("serial ", s.camera), TakenAt: time.Date(2026, 5, 4, 9, 0, 3*at, 0, time.UTC)}
		o.Codes = &qr.Found{Unread: s.unread}
		for _, text := range strings.Fields(s.codes) {
			if !s.unread {
				o.Codes.Codes = append(o.Codes.Codes, qr.Code{Text: text})
			}
		}
	}
	return w
}

// number is which shot a file shows.
func (w *shoot) number(p string) (i int) {
	w.Helper()
	_, err := fmt.Sscanf(w.files[p].content, "%d.", &i)
	w.must(err)
	return i
}

// right checks that no photo is said to be of somebody who is not on it, in no proposal
// either, that no link shows a card, and that photos are counted.
func (w *shoot) right(links *Links) {
	w.Helper()
	truth := map[int64]string{}
	counted := map[int64]int{}
	content := map[SHA]taken{}
	for i, s := range w.taken {
		for version := range w.count + 1 {
			content[shaOf(fmt.Sprintf("%d.%d", i, version))] = s
		}
	}
	code := map[int64]string{}
	all, err := w.s.All().Subjects(w.Context(), SubjectQuery{AccountID: w.acct.ID})
	w.must(err)
	for _, s := range all {
		code[s.ID] = s.Code
	}
	for link, p := range w.photos(false) {
		s := content[p.SHA]
		truth[p.ID] = s.of
		as, _, _, err := w.s.All().Whose(w.Context(), p)
		w.must(err)
		for _, a := range as {
			counted[a.SubjectID]++
			if !slices.Contains(strings.Fields(s.of), code[a.SubjectID]) {
				w.fail("%s (shot %d of %q) is said to be of %q, by %s", p.RawPath, s.number, s.of, code[a.SubjectID], a.Way)
			}
		}
		if s.codes == "" {
			continue
		}
		if _, err := links.Published(link, ""); !errors.Is(err, ErrNotFound) {
			w.fail("a link shows the card %s", p.RawPath)
		}
	}
	for _, s := range all {
		if s.Photos != counted[s.ID] {
			w.fail("%s has %d photos, not %d", s.Code, counted[s.ID], s.Photos)
		}
	}
	open, err := w.s.All().Proposals(w.Context(), ProposalQuery{State: ProposalOpen})
	w.must(err)
	for _, p := range open {
		for _, q := range p.Photos {
			for _, id := range q.Becomes {
				if of, published := truth[q.PhotoID]; published && !slices.Contains(strings.Fields(of), code[id]) {
					w.fail("it is proposed that photo %d, of %q, is of %q", q.PhotoID, of, code[id])
				}
			}
		}
	}
}

func (w *shoot) fail(format string, args ...any) {
	w.Helper()
	w.Fatalf(format+"\n%s", append(args, strings.Join(w.log, "\n"))...)
}

// uploader does something that keeps the names that the cameras have given: no rule can
// tell a renamed photo from one that was taken then.
func (w *shoot) uploader() {
	dirs := []string{"job1/A", "job1/A", "job1/A", "job1/B", "job1/A/group", "job2/A", "out"}
	to := func(name string) string { return dirs[w.rng.IntN(len(dirs))] + "/" + name }
	fresh := func(i int) string { w.count++; return fmt.Sprintf("%d.%d", i, w.count) }
	there := slices.Sorted(maps.Keys(w.files))
	some := func() string { return there[w.rng.IntN(len(there))] }
	if len(there) == 0 || w.rng.IntN(3) > 0 { // one that is not there yet
		i := w.rng.IntN(len(w.taken))
		if p := "job1/A/" + w.taken[i].file(); w.files[p] == nil {
			w.put(p, fresh(i))
		}
		return
	}
	switch p := some(); w.rng.IntN(20) {
	case 0, 1, 2, 3: // retouched
		i := w.number(p)
		if w.rng.IntN(2) == 0 {
			w.put(p, fresh(i))
		} else {
			w.replace(p, fresh(i))
		}
	case 4: // the other camera's shot of this name
		i := w.number(p)
		for other, s := range w.taken {
			if s.number == w.taken[i].number && s.camera != w.taken[i].camera {
				if w.rng.IntN(2) == 0 {
					w.put(p, fresh(other))
				} else {
					w.replace(p, fresh(other))
				}
			}
		}
	case 5, 6, 7:
		w.rm(p)
	case 8: // swap with what has this name elsewhere
		for _, q := range there {
			if q != p && path.Base(q) == path.Base(p) {
				w.mv(p, "out/aside")
				w.mv(q, p)
				w.mv("out/aside", q)
				break
			}
		}
	default:
		w.mv(p, to(path.Base(p)))
	}
}

// person says something that is true.
func (w *shoot) person() {
	w.Helper()
	all := slices.SortedFunc(maps.Values(w.photos(false)), func(a, b Photo) int { return int(a.ID - b.ID) })
	if len(all) == 0 {
		return
	}
	p := all[w.rng.IntN(len(all))]
	f := w.files[p.RawPath]
	if f == nil || shaOf(f.content) != p.SHA || p.Job != "job1" {
		return
	}
	s := w.taken[w.number(p.RawPath)]
	switch w.rng.IntN(4) {
	case 0:
		w.note("  say ", p.RawPath, " ", s.codes)
		if err := w.try(func(tx *Tx) error { return tx.SayCard(p.ID, s.codes, "eva") }); err != nil && !errors.Is(err, ErrCodeRefused) {
			w.fail("%v", err)
		}
	case 1:
		w.note("  assign ", p.RawPath, " ", s.of)
		for _, c := range strings.Fields(s.of) {
			who, err := w.s.All().SubjectByCode(w.Context(), w.acct.ID, c)
			if err != nil || who.JobID != w.job("job1").ID || !who.RemovedAt.IsZero() {
				continue
			}
			w.tx(func(tx *Tx) error {
				_, err := tx.Assign(Assignment{PhotoID: p.ID, SubjectID: who.ID, Way: ByOperator, Operator: "eva"})
				return err
			})
		}
	case 2:
		w.note("  withdraw ", p.RawPath)
		w.tx(func(tx *Tx) error { return tx.WithdrawBy(p.ID, "eva") })
		if w.rng.IntN(2) == 0 {
			w.tx(func(tx *Tx) error { return tx.RestoreBy(p.ID, "eva") })
		}
	case 3:
		h, err := w.s.All().History(w.Context(), p)
		if w.must(err); len(h) > 0 {
			w.note("  revert ", p.RawPath)
			err := w.try(func(tx *Tx) error { _, err := tx.Revert(p.ID, "", "eva"); return err })
			if err != nil && !errors.Is(err, ErrNoEarlier) && !errors.Is(err, ErrNotShown) {
				w.fail("%v", err)
			}
		}
	}
}

// decides about the proposals that are open, or takes them all.
func (w *shoot) decides(all bool) (open int) {
	w.Helper()
	proposals, err := w.s.All().Proposals(w.Context(), ProposalQuery{State: ProposalOpen})
	w.must(err)
	for _, p := range proposals {
		what := w.rng.IntN(4)
		w.note("  decide ", p.Album, " ", what)
		err := w.try(func(tx *Tx) error {
			switch {
			case what == 0 && !all:
				return tx.Reject(p.ID, "eva")
			case what == 1 && !all:
				return errors.Join(tx.Approve(p.ID, "eva"), tx.Undo(p.ID, "eva"))
			}
			return tx.Approve(p.ID, "eva")
		})
		if err != nil && !errors.Is(err, ErrChangedSince) {
			w.fail("%v", err)
		}
	}
	return len(proposals)
}

// who is who is on each photo, or why nobody, when nothing is left to decide.
func (w *shoot) who() string {
	w.Helper()
	w.settle()
	w.expire()
	for round := 0; ; round++ {
		w.ahead += 2 * time.Hour
		w.group(0, 100)
		if w.decides(true) == 0 {
			break
		}
		if round > 20 {
			w.fail("there is always something to decide")
		}
	}
	var all []string
	for _, p := range w.photos(false) {
		as, why, _, err := w.s.All().Whose(w.Context(), p)
		w.must(err)
		switch why {
		case Why(series.NoCardYet): // as in an album that never had a card
			why = ""
		case CardEmpty: // which of two copies of a card is, depends on which came first
			why = CardKnown
		}
		for _, a := range as {
			why += Why(" " + w.subject(a.SubjectID).Code)
		}
		all = append(all, p.RawPath+": "+string(why))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// Whatever uploaders and people do with the photos of a shoot, while they come and when
// all are there: no photo is ever said to be of somebody who is not on it, and no link
// shows a card. If nobody has said more than the cards, everything is in the end as if the
// same files had come at once.
func TestNobodyIsEverOnAnotherChildsPhoto(t *testing.T) {
	for seed := range seeds(6) {
		w := newShoot(t, seed)
		w.note("seed ", seed)
		talkative := seed%2 == 0
		if !talkative {
			w.roster()
		}
		links, err := w.s.OpenLinks(t.Context(), "large")
		w.must(err)
		for range 25 {
			for range 1 + w.rng.IntN(6) {
				w.uploader()
			}
			w.settle()
			w.right(links)
			switch w.rng.IntN(6) {
			case 0, 1:
				w.group(0, 1+w.rng.IntN(4))
			case 2: // quiet
				w.ahead += 2 * time.Hour
				w.group(0, 100)
			case 3:
				w.expire()
			case 4, 5:
				if talkative {
					w.person()
					w.decides(false)
				}
			}
			w.right(links)
		}
		links.Close()
		if talkative {
			continue
		}
		once := newShoot(t, seed)
		once.roster()
		once.files = w.files
		if got, want := w.who(), once.who(); got != want {
			w.fail("seed %d: in the end\n%s\nand at once\n%s", seed, got, want)
		}
	}
}

// roster makes all children known before.
func (w *shoot) roster() {
	w.Helper()
	for _, s := range w.taken {
		for _, code := range strings.Fields(s.codes) {
			if _, err := w.s.All().SubjectByCode(w.Context(), w.acct.ID, code); err != nil {
				w.add(Subject{Code: code})
			}
		}
	}
}
