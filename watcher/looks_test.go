package watcher

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/upload"
)

// The looks at a file say what was found each time: that it is open, that it has not changed,
// that nobody has it open any more, and what its receiver found. They are bounded.
func TestLooksSayWhatWasFound(t *testing.T) {
	w := start(t)
	f, err := os.Create(w.path("job/x.jpg"))
	w.must(err)
	said := func(words string) func() bool {
		return func() bool {
			looks, _ := w.Looks("acme", "job/x.jpg")
			return slices.ContainsFunc(looks, func(k Look) bool { return strings.Contains(strings.Join(k.Verdicts, "; "), words) })
		}
	}
	w.until("it is seen", said("a quiet time of"))
	w.until("it is open", said("a process has it open"))
	looks, next := w.Looks("acme", "job/x.jpg")
	if next.IsZero() || looks[0].Identity.Ino == 0 || looks[0].At.IsZero() {
		t.Errorf("next %v, %+v", next, looks)
	}
	w.must(f.Close())
	w.until("it is complete", said("no process has it open for writing; complete"))
	w.caughtUp()
	w.Judged(upload.File{Account: "acme", Path: "job/x.jpg"}, "a whole JPEG")
	if !said("a whole JPEG")() {
		t.Error("the receiver's verdict is not there")
	}
	if looks, next := w.Looks("acme", "job/x.jpg"); len(looks) > maxLooks || !next.IsZero() {
		t.Errorf("%d looks, next %v", len(looks), next)
	}
	var k looksOf
	for i := range 2 * maxLookPaths {
		k.add(fmt.Sprint(i), Look{At: time.Now(), Events: 1})
	}
	last := fmt.Sprint(2*maxLookPaths - 1)
	for range 3 * maxLooks {
		k.add(last, Look{Events: 1})
	}
	if len(k.of) != maxLookPaths || len(k.order) != maxLookPaths || len(k.of[last]) != 1 || k.of[last][0].Events != 1+3*maxLooks {
		t.Errorf("%d paths, %+v", len(k.of), k.of[last])
	}
	for range 3 * maxLooks {
		k.add(last, Look{})
	}
	if len(k.of[last]) != maxLooks {
		t.Errorf("%d looks of one path", len(k.of[last]))
	}
}
