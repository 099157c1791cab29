package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"picday/internal/failure"
)

func TestARunSaysWhatToDoAboutErrors(t *testing.T) {
	b := &Backup{Dir: "/mnt/backup"}
	for err, want := range map[error]string{
		fmt.Errorf("x: %w", context.Canceled): "run it again", fmt.Errorf("x: %w", syscall.ENOSPC): "/mnt/backup is full", os.ErrPermission: "permission denied",
	} {
		if got := b.advise(err); !strings.Contains(got.Error(), want) || failure.IsRefusal(got) {
			t.Errorf("%v: %v", err, got)
		}
	}
	if err := b.advise(ErrNotBackup); !failure.IsRefusal(err) || !errors.Is(err, ErrNotBackup) {
		t.Error(err)
	}
}

func TestARunThatIsInterruptedReportsNoBackup(t *testing.T) {
	b := newBed(t)
	b.publish("a", "A")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&Backup{Store: b.s, Dir: b.dir}).Run(ctx, "test", true); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Error(err)
	}
	if _, err := ReadManifest(t.Context(), b.dir); !errors.Is(err, ErrNotBackup) {
		t.Errorf("there is a backup: %v", err)
	}
}
