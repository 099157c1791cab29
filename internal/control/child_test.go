package control

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAskChild(t *testing.T) {
	ask := func(ctx context.Context, within time.Duration, script string) (Status, error) {
		return askChild(ctx, within, "/bin/sh", "-c", script)
	}
	if st, err := ask(t.Context(), time.Minute, `echo '{"photos": 7}'`); err != nil || st.Photos != 7 {
		t.Errorf("%+v %v", st, err)
	}
	var failed *ChildError
	if _, err := ask(t.Context(), time.Minute, `echo no >&2; exit 3`); !errors.As(err, &failed) || failed.Code != 3 || failed.Text != "no" {
		t.Error(err)
	}
	if _, err := ask(t.Context(), time.Millisecond, `exec sleep 60`); !errors.Is(err, errLate) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ask(ctx, time.Minute, `exec sleep 60`); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAskCatalogue(t *testing.T) {
	ask := func(within time.Duration, script string) (Status, error) {
		return askCatalogue(t.Context(), within, "/data", "/bin/sh", "-c", script)
	}
	if st, err := ask(time.Minute, `echo '{"photos": 7}'`); err != nil || st.Photos != 7 || len(st.Warnings) != 0 {
		t.Errorf("%+v %v", st, err)
	}
	var failed *ChildError
	if _, err := ask(time.Minute, `echo picday: no catalogue >&2; exit 2`); !errors.As(err, &failed) || failed.Code != 2 || failed.Text != "no catalogue" {
		t.Error(err)
	}
	st, err := ask(time.Millisecond, `exec sleep 60`)
	if err != nil || len(st.Warnings) != 1 || !strings.Contains(st.Warnings[0].Text, "the disk of /data") {
		t.Errorf("%+v %v", st, err)
	}
}
