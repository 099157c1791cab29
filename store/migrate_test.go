package store

import (
	"database/sql"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

func raw(t *testing.T, name string) *sql.DB {
	t.Helper()
	db, err := connect(name, "rwc", "immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func shape(t *testing.T, db *sql.DB) string {
	t.Helper()
	// Ignore spaces and comments, which a migration need not repeat.
	lines, err := column[string](t.Context(), db, `SELECT type || ' ' || name || ' ' || coalesce((SELECT group_concat(c.name || ' ' || c.type || ' ' || c."notnull"
		|| ' ' || coalesce(c.dflt_value, '') || ' ' || c.pk, ', ') FROM pragma_table_xinfo(m.name) c), '')
		|| CASE WHEN type IN ('index', 'trigger') THEN coalesce(sql, '') ELSE '' END FROM sqlite_schema m ORDER BY name`)
	if err != nil || len(lines) == 0 {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// withStep returns the SQL files of this picday, and those of one with another migration.
func withStep(t *testing.T) (now, next fstest.MapFS) {
	const step = `ALTER TABLE account ADD COLUMN note TEXT NOT NULL DEFAULT '';` + "\n" + `CREATE INDEX account_note ON account (note);`
	t.Helper()
	schema, err := sqlFiles.ReadFile("sql/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	schema = slices.Clip(schema)
	return fstest.MapFS{"sql/schema.sql": {Data: schema}},
		fstest.MapFS{"sql/schema.sql": {Data: append(schema, step...)}, "sql/migrations/0002-note.sql": {Data: []byte(step)}}
}

func TestFreshEqualsMigrated(t *testing.T) {
	v1, v2 := withStep(t)
	fresh, old := raw(t, filepath.Join(t.TempDir(), "f")), raw(t, filepath.Join(t.TempDir(), "m"))
	for _, step := range []struct {
		db    *sql.DB
		files fs.FS
	}{{old, v1}, {old, v2}, {fresh, v2}, {fresh, v2}} {
		if err := migrate(t.Context(), step.db, step.files, 0); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := shape(t, fresh), shape(t, old); a != b {
		t.Errorf("fresh:\n%s\n\nmigrated:\n%s", a, b)
	}
	if v, err := userVersion(t.Context(), old); v != 2 || err != nil {
		t.Errorf("version %d, %v", v, err)
	}
}

func TestNewerCatalogueIsRefused(t *testing.T) {
	v1, v2 := withStep(t)
	db := raw(t, filepath.Join(t.TempDir(), "c"))
	if err := migrate(t.Context(), db, v2, 0); err != nil {
		t.Fatal(err)
	}
	before := shape(t, db)
	err := migrate(t.Context(), db, v1, 0)
	if err == nil || !strings.Contains(err.Error(), "newer picday (schema 2, this one knows 1): upgrade picday") || shape(t, db) != before {
		t.Errorf("%v", err)
	}
}

// A migration that fails leaves the catalogue unchanged.
func TestFailedMigrationChangesNothing(t *testing.T) {
	v1, v2 := withStep(t)
	db := raw(t, filepath.Join(t.TempDir(), "c"))
	if err := migrate(t.Context(), db, v1, 0); err != nil {
		t.Fatal(err)
	}
	before := shape(t, db)
	v2["sql/migrations/0003-bad.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE x (y); CREATE TABLE x (y);")}
	if err := migrate(t.Context(), db, v2, 0); err == nil || !strings.Contains(err.Error(), "migration to schema 3") || shape(t, db) != before {
		t.Errorf("%v", err)
	}
	delete(v2, "sql/migrations/0002-note.sql")
	if err := migrate(t.Context(), db, v2, 0); err == nil || !strings.Contains(err.Error(), "schema 2 is missing") {
		t.Errorf("a gap: %v", err)
	}
	for _, name := range []string{"0001-x.sql", "x.sql", "0003-again.sql"} {
		v2["sql/migrations/0003-bad.sql"] = &fstest.MapFile{Data: []byte("SELECT 1")}
		files := fstest.MapFS{"sql/migrations/" + name: {Data: []byte("SELECT 1")}, "sql/migrations/0003-bad.sql": v2["sql/migrations/0003-bad.sql"]}
		if _, err := migrations(files); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// The daemon and the tool can start at the same time after an upgrade.
func TestTwoMigrateAtOnce(t *testing.T) {
	_, v2 := withStep(t)
	for range 10 {
		name := filepath.Join(t.TempDir(), "c")
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				if err := migrate(t.Context(), raw(t, name), v2, 0); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
}
