package store

import (
	"cmp"
	"database/sql"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"picday/internal/layout"
)

// seeds returns the number of random histories to test: n, or 20 n in make torture.
func seeds(n uint64) uint64 {
	if os.Getenv("PICDAY_TORTURE") != "" {
		n *= 20
	}
	return n
}

// consistent checks what must hold after every transaction.
func (w *world) consistent() {
	w.Helper()
	for what, q := range map[string]string{
		"published without a file":           `SELECT id FROM photo p WHERE withdrawn_at IS NULL AND declined IS NULL AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = p.id)`,
		"file of a withdrawn photo":          `SELECT u.id FROM upload u JOIN photo p ON p.id = u.photo_id WHERE p.withdrawn_at IS NOT NULL AND p.withdrawn_by IS NULL`,
		"withdrawn by nobody":                `SELECT id FROM photo WHERE withdrawn_by IS NOT NULL AND withdrawn_at IS NULL`,
		"counted wrong":                      `SELECT account_id FROM tally t WHERE photos <> (SELECT count(*) FROM photo WHERE account_id = t.account_id AND withdrawn_at IS NULL)`,
		"unusual ones counted wrong":         `SELECT account_id FROM tally t WHERE unusual <> (SELECT count(*) FROM photo WHERE account_id = t.account_id AND withdrawn_at IS NULL AND instr(flags, 'unusual') > 0)`,
		"activity counted wrong":             `SELECT account_id FROM tally t WHERE activity <> (SELECT count(*) FROM activity WHERE account_id = t.account_id)`,
		"problems counted wrong":             `SELECT account_id FROM tally t WHERE problems <> (SELECT count(*) FROM upload WHERE account_id = t.account_id AND reason IS NOT NULL AND gone_at IS NULL AND ignored_by IS NULL)`,
		"files counted wrong":                `SELECT account_id FROM tally t WHERE files <> (SELECT count(*) FROM upload WHERE account_id = t.account_id)`,
		"files of a job counted wrong":       `SELECT id FROM job j WHERE files <> (SELECT count(*) FROM upload WHERE job_id = j.id)`,
		"reasons counted wrong":              `SELECT account_id FROM problem_tally t WHERE files <> (SELECT count(*) FROM upload WHERE account_id = t.account_id AND reason = t.reason AND gone_at IS NULL AND ignored_by IS NULL)`,
		"a reason not counted":               `SELECT id FROM upload u WHERE reason IS NOT NULL AND gone_at IS NULL AND NOT EXISTS (SELECT 1 FROM problem_tally WHERE account_id = u.account_id AND reason = u.reason)`,
		"job counted wrong":                  `SELECT id FROM job j WHERE (albums, photos, problems) IS NOT (SELECT count(DISTINCT album), count(*), (SELECT count(*) FROM upload WHERE job_id = j.id AND reason IS NOT NULL AND gone_at IS NULL AND ignored_by IS NULL) FROM photo WHERE job_id = j.id AND withdrawn_at IS NULL)`,
		"problem groups counted wrong":       `SELECT id FROM problem_group g WHERE (files, ignored) IS NOT (SELECT count(*) - count(ignored_by), count(ignored_by) FROM upload WHERE account_id = g.account_id AND dir = g.dir AND reason = g.reason AND gone_at IS NULL)`,
		"an empty group":                     `SELECT id FROM problem_group WHERE files + ignored <= 0`,
		"a problem without a group":          `SELECT id FROM upload u WHERE reason IS NOT NULL AND gone_at IS NULL AND NOT EXISTS (SELECT 1 FROM problem_group WHERE account_id = u.account_id AND dir = u.dir AND reason = u.reason)`,
		"a file that nobody finds":           `SELECT id FROM photo p WHERE job_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM photo_part WHERE photo_id = p.id)`,
		"found, but not there":               `SELECT photo_id FROM photo_part n WHERE NOT EXISTS (SELECT 1 FROM photo WHERE id = n.photo_id AND account_id = n.account_id)`,
		"album counted wrong":                `SELECT job_id FROM album l WHERE (individuals, groups) IS NOT (SELECT sum(area = 'individuals'), sum(area = 'group') FROM photo WHERE job_id = l.job_id AND album = l.name AND withdrawn_at IS NULL)`,
		"album older than its photos":        `SELECT job_id FROM album l WHERE latest < (SELECT max(ingested_at) FROM photo WHERE job_id = l.job_id AND album = l.name AND withdrawn_at IS NULL)`,
		"references counted wrong":           `SELECT refs FROM original o WHERE refs <> (SELECT count(*) FROM photo WHERE sha256 = o.sha256) + (SELECT count(*) FROM history WHERE sha256 = o.sha256)`,
		"originals counted wrong":            `SELECT files FROM stored WHERE what = 'original' AND (files, bytes) IS NOT (SELECT count(*), coalesce(sum(bytes), 0) FROM original)`,
		"renditions counted wrong":           `SELECT files FROM stored WHERE what = 'rendition' AND (files, bytes) IS NOT (SELECT count(*), coalesce(sum(bytes), 0) FROM rendition)`,
		"rotated link forgotten":             `SELECT id FROM photo p JOIN rotation r ON r.account_id = p.account_id AND r.person = p.person WHERE r.generation <> p.generation`,
		"link of an odd form":                `SELECT id FROM photo WHERE length(link) <> 56 OR link GLOB '*[^0-9a-f]*'`,
		"photo without an original":          `SELECT id FROM photo p WHERE NOT EXISTS (SELECT 1 FROM original WHERE sha256 = p.sha256)`,
		"history of the current picture":     `SELECT rowid FROM history h WHERE replaced_at < ingested_at`,
		"foreign key":                        `SELECT rowid FROM pragma_foreign_key_check`,
		"missing and live, another identity": `SELECT id FROM upload WHERE length(identity) <> 32`,
	} {
		expected := w.orphans && what == "published without a file"
		if ids, err := column[int64](w.Context(), w.s.read, q); err != nil || len(ids) > 0 && !expected {
			w.Fatalf("%s: %v %v", what, ids, err)
		}
	}
	w.oneLink()
}

// oneLink checks that no two links show the picture of a file that never had two names at
// once, not even during a grace.
func (w *world) oneLink() {
	w.Helper()
	type pair struct {
		inode, a, b string
	}
	pairs, err := collect(w.Context(), w.s.read, func(r *sql.Rows) (v pair, err error) {
		return v, r.Scan(&v.inode, &v.a, &v.b)
	}, `SELECT DISTINCT substr(u.identity, 1, 16), p.path, q.path FROM upload u JOIN photo p ON p.id = u.photo_id
		JOIN upload v ON substr(v.identity, 1, 16) = substr(u.identity, 1, 16) JOIN photo q ON q.id = v.photo_id
		WHERE p.id < q.id AND p.sha256 = q.sha256 AND p.withdrawn_at IS NULL AND q.withdrawn_at IS NULL`)
	w.must(err)
	for _, p := range pairs {
		if !w.linked[p.inode] {
			w.Fatalf("the links of %s and %s show one file's picture\n%s", p.a, p.b, strings.Join(w.log, "\n"))
		}
	}
}

// matches checks that the published photos are exactly those on the volume. Everything
// must be settled, and every grace over.
func (w *world) matches() {
	w.Helper()
	for what, q := range map[string]string{
		"two photos at one path":           `SELECT min(id) FROM photo WHERE withdrawn_at IS NULL GROUP BY account_id, path HAVING count(*) > 1`,
		"published after its file's grace": `SELECT id FROM photo p WHERE withdrawn_at IS NULL AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = p.id AND gone_at IS NULL)`,
	} {
		if ids, err := column[int64](w.Context(), w.s.read, q); err != nil || len(ids) > 0 {
			w.Fatalf("%s: %v %v\n%s", what, ids, err, strings.Join(w.log, "\n"))
		}
	}
	want := map[string]string{} // path, or person, to content
	newest := map[string]*inode{}
	unclear := map[string]bool{} // IDs that may show the picture from before a file was overwritten by a broken one
	for p, f := range w.files {
		if strings.HasPrefix(p, "out") {
			continue
		}
		if w.acct.Layout == layout.Jobs {
			if !broken(f.content) {
				want[p] = shaOf(f.content).String()
			}
			continue
		}
		if broken(f.content) {
			unclear[w.place(p).Person] = true
		}
		if n := newest[w.place(p).Person]; n == nil || cmp.Compare(f.Ctime, n.Ctime) > 0 {
			newest[w.place(p).Person] = f
			want[w.place(p).Person] = shaOf(f.content).String()
		}
	}
	have := map[string]string{}
	for _, ph := range w.photos(false) {
		key := ph.RawPath
		if ph.Person != "" {
			key = ph.Person
		} else if f := w.files[key]; f != nil && broken(f.content) {
			continue // the earlier picture stays published until the file is whole
		}
		if have[key] != "" {
			w.Fatalf("two photos at %s", key)
		}
		have[key] = ph.SHA.String()
	}
	for person := range unclear {
		delete(want, person)
		delete(have, person)
	}
	if !maps.Equal(want, have) {
		w.Fatalf("on the volume %v\npublished %v", show(want), show(have))
	}
}

func show(m map[string]string) (s string) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		s += fmt.Sprintf(" %s=%.6s", k, m[k])
	}
	return s
}
