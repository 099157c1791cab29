package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mattn/go-sqlite3"
)

// Every statement that the tests of this package run is recorded, and after the tests its
// query plan is judged: a statement may not read a number of rows that grows with the
// number of photos. The statements are recorded and not listed in a test, so that none is
// forgotten; a statement that no test runs is a fault too.

func init() {
	sql.Register("judged", judged{&sqlite3.SQLiteDriver{ConnectHook: eachConnection}})
	driverName = "judged"
}

var seen sync.Map // every statement that was run

type judged struct{ driver.Driver }

func (d judged) Open(name string) (driver.Conn, error) {
	c, err := d.Driver.Open(name)
	if err != nil {
		return nil, err
	}
	return judgedConn{c.(*sqlite3.SQLiteConn)}, nil
}

type judgedConn struct{ *sqlite3.SQLiteConn }

func (c judgedConn) Prepare(query string) (driver.Stmt, error) {
	seen.LoadOrStore(query, true)
	return c.SQLiteConn.Prepare(query)
}

func (c judgedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	seen.LoadOrStore(query, true)
	return c.SQLiteConn.PrepareContext(ctx, query)
}

func (c judgedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	seen.LoadOrStore(query, true)
	return c.SQLiteConn.ExecContext(ctx, query, args)
}

func (c judgedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	seen.LoadOrStore(query, true)
	return c.SQLiteConn.QueryContext(ctx, query, args)
}

// plain returns a statement with single spaces and no line breaks.
func plain(query string) string { return strings.Join(strings.Fields(query), " ") }

// judge returns the faults of the statements of this package.
func judge() (faults []string) {
	all := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == ""
	if flag.Lookup("test.bench").Value.String() != "" || flag.Lookup("test.list").Value.String() != "" {
		return nil
	}
	db, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		return []string{err.Error()}
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	schema, err := fs.ReadFile(sqlFiles, "sql/schema.sql")
	if err == nil {
		// picday never runs ANALYZE, so SQLite's plans depend on the schema alone: the
		// plans for this empty catalogue are those for a million photos.
		_, err = db.Exec(string(schema))
	}
	sources, serr := statements(".")
	if err != nil || serr != nil {
		return []string{fmt.Sprint(err, serr)}
	}
	var run []string
	asRun := map[string]string{}
	seen.Range(func(q, _ any) bool {
		run = append(run, plain(q.(string)))
		asRun[plain(q.(string))] = q.(string)
		return true
	})
	slices.Sort(run)
	used := map[string]bool{}
	for _, q := range run {
		ours := slices.ContainsFunc(sources, func(s string) bool { return strings.HasPrefix(q, s) })
		if !ours || !explainable.MatchString(q) {
			continue
		}
		fault := judgePlan(db, asRun[q])
		if why := excused(q, used); fault != "" && why == "" {
			faults = append(faults, fault)
		}
	}
	for _, q := range triggerBodies(db) {
		if fault := judgePlan(db, q); fault != "" {
			faults = append(faults, "in a trigger: "+fault)
		}
	}
	faults = append(faults, scannedChildren(db)...)
	if !all {
		return faults
	}
	for _, s := range sources {
		if !strings.HasPrefix(s, "PRAGMA trusted_schema") && // the driver does that itself
			!slices.ContainsFunc(run, func(q string) bool { return strings.Contains(q, s) }) {
			faults = append(faults, "no test runs: "+s)
		}
	}
	for _, x := range excuses {
		if !used[x.begins+x.has] {
			faults = append(faults, "excused, but no statement with such a plan begins so: "+x.begins+" … "+x.has)
		}
	}
	return faults
}

var (
	explainable = regexp.MustCompile(`^(SELECT|INSERT|UPDATE|DELETE|WITH) `)
	statement   = regexp.MustCompile(`^(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|PRAGMA|VACUUM|SAVEPOINT|RELEASE|ROLLBACK) `)
)

// statements returns the beginnings of all SQL statements in the sources of a package.
func statements(dir string) (all []string, err error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, _ := strconv.Unquote(lit.Value)
				before, _, _ := strings.Cut(plain(text), "%") // what follows a format's verb is not known
				if len(before) > len("SELECT count(") && statement.MatchString(before+" ") {
					all = append(all, before)
				}
			}
			return true
		})
	}
	return all, nil
}

// few are the tables whose rows are at most as many as accounts, log-ins, jobs, lists, folders or
// operators. The other tables grow with every upload.
var few = map[string]bool{
	"account": true, "login": true, "job": true, "album": true, "name_part": true, "tally": true, "problem_tally": true, "series_tally": true, "stored": true, "meta": true,
	"operator": true, "operator_mail": true, "arriving": true, "told": true, "lane": true, "session": true, "token": true, "roster": true, "card_album": true, "sqlite_sequence": true, "sqlite_schema": true,
}

// narrow are the conditions, in the words of a plan, that match only a few rows of a table
// of any size.
var narrow = map[string][]string{
	"photo":         {"link=?", "account_id=? AND path=?", "account_id=? AND path_shown=?", "account_id=? AND person=?", "sha256=?"},
	"problem_group": {"account_id=? AND dir=? AND reason=?"},
	"photo_part":    {"account_id=? AND part=? AND photo_id=?"},
	"original":      {"sha256=?"},
	"rendition":     {"sha256=?"},
	"history":       {"photo_id=?", "sha256=?"},
	"upload":        {"account_id=? AND dir=? AND name", "account_id=? AND dir=? AND companion=?", "account_id=? AND dir=? AND reason=? AND id=?", "identity>? AND identity<?", "photo_id=?"},
	"activity":      {"photo_id=?"},
	"rotation":      {"account_id=? AND person=?"},
	"departure":     {"photo_id=?"},
	"withheld":      {"account_id=? AND job_id=? AND person=? AND sha256=?"},

	"subject":       {"account_id=? AND external_id=?", "job_id=? AND external_id=?"},
	"subject_code":  {"account_id=? AND code=?"},
	"subject_photo": {"photo_id=?", "card_id=?"},
	"crop_rule":     {"job_id=?", "account_id=?"}, // of the second there is one without a job

	// A proposal is of one album, and one that is open is one of few.
	"series":         {"photo_id=?"},
	"proposal":       {"rowid=?", "job_id=? AND album=?"},
	"proposal_photo": {"proposal_id=?", "photo_id=?"},
}

var (
	access  = regexp.MustCompile(`^(SCAN|SEARCH) (\w+)(?: EXISTS)?(?: (USING .*?))?(?: \((.*)\))?(?: LEFT-JOIN)?$`)
	origins = regexp.MustCompile(`(?i)\b(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)(?:\s+(?:AS\s+)?(\w+))?`)
)

// judgePlan returns the fault of a statement's plan, "" if it has none. Reading an index
// up to a LIMIT is no fault, because it reads only what is returned.
func judgePlan(db *sql.DB, query string) string {
	lines, err := planOf(db, query)
	query = plain(query)
	if err != nil {
		return fmt.Sprintf("%s: %v", query, err)
	}
	tables := map[string]string{}
	for _, m := range origins.FindAllStringSubmatch(query, -1) {
		tables[m[1]] = m[1]
		if m[2] != "" {
			tables[m[2]] = m[1]
		}
	}
	var wide, sorted string
	for _, l := range lines {
		if strings.Contains(l, "TEMP B-TREE") {
			sorted = l
		}
		m := access.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		table, condition := tables[m[2]], m[4]
		atOnce := m[1] == "SEARCH" && (condition == "" || condition == "rowid=?" || // min and max have none
			slices.ContainsFunc(narrow[table], func(c string) bool { return strings.HasPrefix(condition, c) }))
		if !few[table] && !atOnce || strings.Contains(l, "AUTOMATIC") {
			wide = l
			if narrow[table] == nil && tables[m[2]] != "" {
				wide += " (is table " + table + " a small one?)"
			}
		}
	}
	limited := strings.Contains(query, " LIMIT ")
	if wide == "" || limited && sorted == "" {
		return ""
	}
	return fmt.Sprintf("%s\n    reads too much: %s; sorted: %q\n    %s", query, wide, sorted, strings.Join(lines, "\n    "))
}

// planOf returns SQLite's plan for a statement, with NULL as all arguments.
func planOf(db *sql.DB, query string) (lines []string, err error) {
	conn, err := db.Conn(context.Background())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	err = conn.Raw(func(c any) error {
		stmt, err := c.(*sqlite3.SQLiteConn).Prepare("EXPLAIN QUERY PLAN " + query)
		if err != nil {
			return err
		}
		defer stmt.Close()
		//lint:ignore SA1019 driver.Conn has no other method without a context
		rows, err := stmt.Query(make([]driver.Value, stmt.NumInput()))
		if err != nil {
			return err
		}
		defer rows.Close()
		for {
			var v [4]driver.Value
			if err := rows.Next(v[:]); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			lines = append(lines, v[3].(string))
		}
	})
	return lines, err
}

// triggerBodies returns the statements of all triggers, which plans do not show.
func triggerBodies(db *sql.DB) (all []string) {
	texts, err := column[string](context.Background(), db, `SELECT sql FROM sqlite_schema WHERE type = 'trigger'`)
	if err != nil {
		panic(err)
	}
	row := regexp.MustCompile(`\b(NEW|OLD)\.\w+`)
	for _, text := range texts {
		_, body, _ := strings.Cut(plain(text), " BEGIN ")
		for _, q := range strings.Split(strings.TrimSuffix(body, " END"), ";") {
			if q = strings.TrimSpace(q); q != "" && !strings.HasPrefix(q, "SELECT raise(") {
				all = append(all, row.ReplaceAllString(q, "?"))
			}
		}
	}
	return all
}

// scannedChildren returns the tables that SQLite would read whole to see whether a row of
// another one, which is deleted, is still pointed to. Accounts are never deleted.
func scannedChildren(db *sql.DB) (faults []string) {
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	ctx := context.Background()
	parents, err := column[string](ctx, db, `SELECT DISTINCT f."table" FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' AND f."table" <> 'account'`)
	check(err)
	_, err = db.Exec(`PRAGMA foreign_keys = ON`)
	check(err)
	for _, parent := range parents {
		key, err := column[string](ctx, db, `SELECT name FROM pragma_table_info(?) WHERE pk = 1`, parent)
		check(err)
		lines, err := planOf(db, "DELETE FROM "+parent+" WHERE "+key[0]+" = 1")
		check(err)
		for _, l := range lines {
			if strings.HasPrefix(l, "SCAN ") {
				faults = append(faults, "a row of "+parent+" is deleted: "+l)
			}
		}
	}
	return faults
}

func excused(query string, used map[string]bool) string {
	for _, x := range excuses {
		if strings.HasPrefix(query, x.begins) && strings.Contains(query, x.has) {
			used[x.begins+x.has] = true
			return x.why
		}
	}
	return ""
}
