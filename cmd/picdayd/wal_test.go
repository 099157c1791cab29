package main

import (
	"strings"
	"testing"
	"time"

	"picday/store"
)

func TestWALWarning(t *testing.T) {
	now := time.Now()
	for _, w := range []store.WAL{{}, {Bytes: 200 << 20}, {Bytes: 200 << 20, HeldSince: now.Add(-walHeld / 2)}} {
		if text := walWarning(w, now); text != "" {
			t.Errorf("%+v: %q", w, text)
		}
	}
	if text := walWarning(store.WAL{Bytes: 168 << 20, HeldSince: now.Add(-5 * time.Minute)}, now); !strings.Contains(text, "168 MB") {
		t.Errorf("%q", text)
	}
}
