package main

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"picday/internal/test/bed"
)

func TestManualSaysEverything(t *testing.T) {
	cmd := command(io.Discard, io.Discard)
	page := bed.ManualPage(t, manualPage(cmd).Mdoc())
	n := 0
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		n++
		value, usage := pflag.UnquoteUsage(f)
		if want := strings.TrimSpace("--"+f.Name+" "+value) + " " + usage; !strings.Contains(page, want) {
			t.Errorf("not on the page: %s\n%s", want, page)
		}
	})
	statuses := bed.ExitStatuses(t, "main.go")
	for name, code := range statuses {
		found := false
		for _, s := range exitStatuses {
			found = found || s.Code == code && strings.Contains(page, fmt.Sprintf(" %d %s ", code, s.Means))
		}
		if !found {
			t.Errorf("%s = %d is not on the page:\n%s", name, code, page)
		}
	}
	if n < 4 || len(statuses) < 3 {
		t.Errorf("only %d flags and the statuses %v were looked at", n, statuses)
	}
}
