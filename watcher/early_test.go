package watcher

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/upload"
)

// A file that may become a photo is sent before the whole quiet time. If its receiver does
// not take it, it is sent once more, after the whole time. What cannot become a photo is
// sent after the whole time only.
func TestAPhotoIsSentEarlyAndTheRestAfterTheWholeQuietTime(t *testing.T) {
	w := open(t, t.TempDir())
	w.opt.Settle = 5 * time.Second
	w.ledger.unread = func(path string) bool { return strings.HasSuffix(path, "stray") }
	sent := make(chan upload.File, 100)
	w.reader = func(f upload.File) bool {
		sent <- f
		return f.Early && strings.HasSuffix(f.Path, "short.jpg")
	}
	w.run()
	w.scan()
	for _, name := range []string{"job/stray", "job/short.jpg", "job/whole.jpg"} {
		w.write(name)
	}
	w.caughtUp()
	got := map[string][]bool{}
	for len(sent) > 0 {
		f := <-sent
		got[f.Path] = append(got[f.Path], f.Early)
	}
	if len(got["job/whole.jpg"]) == 0 || !got["job/whole.jpg"][0] {
		t.Errorf("a whole file is sent late: %v", got)
	}
	if !slices.Equal(got["job/short.jpg"], []bool{true, false}) || !slices.Equal(got["job/stray"], []bool{false}) {
		t.Errorf("early or not: %v", got)
	}
}

// A file that stays open is looked at less and less often, and its events do not shorten
// that again, so that a slow writer costs few looks.
func TestASlowWriterIsLookedAtRarely(t *testing.T) {
	w := start(t)
	f, err := os.Create(w.path("job/x.jpg"))
	w.must(err)
	defer f.Close()
	look := func() (found entry) {
		answer := make(chan entry, 1)
		w.in.call(func(l *loop) {
			if e := l.entries[w.path("job/x.jpg")]; e != nil {
				answer <- *e
			}
			close(answer)
		})
		return <-answer
	}
	w.until("it has the whole quiet time", func() bool { e := look(); return e.held && e.quiet == w.opt.Settle })
	before := look()
	_, err = f.WriteString("more")
	w.must(err)
	w.until("the write is noticed", func() bool { return look().id != before.id })
	if e := look(); e.quiet != w.opt.Settle {
		t.Errorf("looked at after %s again", e.quiet)
	}
}
