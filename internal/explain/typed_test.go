package explain

import (
	"errors"
	"testing"

	"picday/internal/config"
	"picday/internal/control"
	"picday/internal/failure"
	"picday/internal/test/uploads"
	"picday/store"
)

// A path is taken as the uploader sees it, or as it is called on the server.
func TestTypedPaths(t *testing.T) {
	s := uploads.New(t)
	s.Write("acme/"+path, "x")
	s.Publish("acme/" + path)
	e, err := New(t.Context(), config.Config{UploadDir: s.UploadDir, RunDir: t.TempDir()}, s.Store, s.Volumes)
	if err != nil || !errors.Is(e.DaemonErr, control.ErrNotRunning) || e.VolumeErr != nil {
		t.Fatalf("%+v, %v", e, err)
	}
	for _, c := range []struct{ only, typed string }{
		{"", path}, {"", "/" + path}, {"acme", path}, {"", s.At("acme/" + path)}, {"lincoln", s.At("acme/" + path)}, {"", s.At(".active/acme/" + path)},
	} {
		all, err := e.ExplainTyped(t.Context(), c.only, c.typed)
		if err != nil || len(all) != 1 || all[0].Account.Name != "acme" || all[0].Path != path {
			t.Errorf("%+v: %+v, %v", c, all, err)
		}
	}
	for _, c := range []struct{ only, typed string }{{"lincoln", path}, {"nobody", path}, {"", "job1/A/never.jpg"}, {"", s.At("nobody/" + path)}} {
		if all, err := e.ExplainTyped(t.Context(), c.only, c.typed); len(all) != 0 || !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%+v: %+v, %v", c, all, err)
		}
	}
	for _, typed := range []string{"", "/", s.At("acme")} {
		if _, err := e.ExplainTyped(t.Context(), "", typed); !failure.IsUsage(err) {
			t.Errorf("%q: %v", typed, err)
		}
	}

	// Who was removed with his photos kept is looked for too.
	s.Update(func(tx *store.Tx) error { return tx.RemoveAccount(s.Acme, false) })
	if all, err := e.ExplainTyped(t.Context(), "", path); err != nil || len(all) != 1 || !all[0].Account.Kept {
		t.Errorf("%+v, %v", all, err)
	}
}
