package web

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/contract"
	"picday/internal/test/catalogues"
	"picday/store"
)

// spoilRows puts a value into every column of one row in every table, as far as
// the schema takes it, and tells how many columns took it. What finds the row,
// and what the test logs in with, stays.
func (b *adminBed) spoilRows(value any) (n int) {
	b.Helper()
	counted := []string{"operator", "session", "sqlite_sequence", "tally", "problem_tally", "problem_group", "album", "stored", "withheld", "rotation"}
	b.must(catalogues.InTransaction(b.Context(), b.s, func(tx *sql.Tx) error {
		read := func(query string, args ...any) (all []string) {
			rows, err := tx.Query(query, args...)
			b.must(err)
			defer rows.Close()
			for rows.Next() {
				var s string
				b.must(rows.Scan(&s))
				all = append(all, s)
			}
			b.must(rows.Err())
			return all
		}
		for _, table := range read(`SELECT name FROM sqlite_schema WHERE type = 'table'`) {
			if slices.Contains(counted, table) {
				continue
			}
			one := ` WHERE id = (SELECT max(id) FROM ` + table + `)` // acme's and lincoln's are older
			if len(read(`SELECT name FROM pragma_table_info(?) WHERE name = 'id'`, table)) == 0 {
				one = ""
			}
			if table == "original" || table == "rendition" {
				one = ` WHERE sha256 = (SELECT sha256 FROM photo WHERE id = (SELECT max(id) FROM photo))`
			}
			for _, column := range read(`SELECT name FROM pragma_table_info(?) WHERE pk = 0 AND name NOT IN ('hash', 'account_id', 'job_id', 'photo_id', 'photos', 'albums', 'problems', 'refs')`, table) {
				_, err := tx.Exec(`SAVEPOINT one`)
				b.must(err)
				if _, err := tx.Exec(`UPDATE `+table+` SET `+column+` = ?`+one, value); err != nil {
					_, err = tx.Exec(`ROLLBACK TO one`)
					b.must(err)
				} else {
					n++
				}
			}
		}
		return nil
	}))
	return n
}

// One row that says what no row of ours says never hides the others, in no
// list, on no page and for no account.
func TestAHostileRowHidesNoOther(t *testing.T) {
	for name, value := range map[string]any{
		"least number": int64(math.MinInt64), "greatest number": int64(math.MaxInt64), "-1": -1, "0": 0,
		"year 0": time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() - 1, "year 10000": time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(),
		"no text": "", "NUL": "a\x00b", "no UTF-8": "\xff\xfe", "no JSON": `[{"`, "unknown word": "small nonsense", "no bytes": []byte{}, "few bytes": []byte{1, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			b := fullBed(t)
			b.tx(func(tx *store.Tx) error { return tx.AddJob(b.other, "job2") })
			b.addOperator("eva", 0)
			cookie, bearer := b.session("eva"), b.token("all", 0)
			published := b.photo("13")
			if n := b.spoilRows(value); n < 4 {
				t.Fatalf("only %d columns took it", n)
			}
			for path, others := range map[string][]string{
				"/api/v1/accounts": {"acme", "lincoln"}, "/api/v1/jobs": {"acme"}, "/api/v1/albums": {"Class 1"}, "/api/v1/problems": {"x.jpg"},
				"/api/v1/photos": {"12.jpg", "13.jpg"}, "/api/v1/photos?changed_since=0": {"12.jpg", "13.jpg", "14.jpg"}, "/api/v1/people/13": {"13.jpg"},
				"/api/v1/status": {"running"}, "/metrics": {"picday"},
				"/": {"13"}, "/accounts": {"acme", "lincoln"}, "/accounts/lincoln": {"lincoln"}, "/jobs": {"acme"}, "/jobs/acme/job00001": {"Class 1"},
				"/jobs/acme/job00001/Class%201": {"IMG_1"}, "/jobs/acme/job00001/Class%201?sort=taken": {"IMG_1"}, "/portraits": {"Portraits"},
				"/portraits?account=lincoln": {"12", "13"}, "/problems": {"2 files in"}, "/problems/1": {"x.jpg", "y.jpg"}, "/activity": {"IMG_1"}, "/trash": {"14"}, photoURL(published.ID): {"13"},
			} {
				w := b.ask("GET", path, nil, "Cookie", cookie, "Authorization", bearer)
				for _, other := range others {
					if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), other) {
						t.Errorf("%s: %d, without %s: %.300s", path, w.Code, other, w.Body)
						break
					}
				}
			}
			b.readOneByOne(t, bearer)
			// What the command line reads.
			ctx := t.Context()
			var shown []any
			for p, err := range b.s.All().StreamPhotos(ctx, store.PhotoQuery{Show: store.ShowBoth}) {
				b.must(err)
				shown = append(shown, contract.NewPhoto(p, ""))
			}
			problems, err := b.s.All().Problems(ctx, store.ProblemQuery{Order: store.ProblemsByPath})
			b.must(err)
			for _, p := range problems {
				shown = append(shown, contract.NewProblem(p))
			}
			accounts, err := b.s.All().Accounts(ctx)
			b.must(err)
			operators, err := b.s.Operators(ctx)
			b.must(err)
			tokens, err := b.s.Tokens(ctx)
			b.must(err)
			pictures := 0
			for _, perr := range b.s.Pictures(ctx) {
				if err = perr; err == nil {
					pictures++
				}
			}
			if err != nil && !errors.Is(err, store.ErrFlawed) { // verify reads them, and says which row it is
				t.Error(err)
			}
			if _, bad := json.Marshal([]any{shown, accounts, operators, tokens}); bad != nil || len(shown) < 6 || len(accounts) < 2 || len(operators) != 1 || len(tokens) != 1 || err == nil && pictures < 4 {
				t.Errorf("%v: %d photos and problems, %d accounts, %d operators, %d tokens, %d pictures", bad, len(shown), len(accounts), len(operators), len(tokens), pictures)
			}
			// What the daemon reads.
			_, _, err = b.s.Strays(ctx, time.Now(), store.SweepPosition{}, 100)
			b.must(err)
			_, err = b.s.OutdatedRenditions(ctx, specs, store.SHA{}, 100)
			b.must(err)
			for _, a := range accounts {
				dirs, err := b.s.KnownDirs(ctx, a.ID)
				b.must(err)
				for _, d := range dirs {
					_, err := b.s.Known(ctx, a.ID, d)
					b.must(err)
				}
			}
		})
	}
}

// readOneByOne reads each list in pages of one row, and comes to an end.
func (b *adminBed) readOneByOne(t *testing.T, bearer string) {
	t.Helper()
	for _, list := range []string{"accounts", "jobs", "albums", "photos", "problems"} {
		path, n := "/"+list+"?limit=1", 0
		for ; path != ""; n++ {
			var answer map[string]json.RawMessage
			if code := b.get(bearer, path, &answer); code != http.StatusOK || n > 20 {
				t.Errorf("%s: %d after %d", path, code, n)
				break
			}
			var next *string
			b.must(json.Unmarshal(answer["next"], &next))
			if path = ""; next != nil {
				path = fmt.Sprintf("/%s?limit=1&after=%s", list, url.QueryEscape(*next))
			}
		}
	}
}
