package decoder

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/photo"
	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
)

// The test binary is its own decoder child, as picdayd is, with a few more tricks.
func TestMain(m *testing.M) {
	if Child(os.Args) {
		os.Exit(serve(tricky))
	}
	if len(os.Args) == 2 && os.Args[1] == "doomed" {
		doomed()
	}
	os.Exit(m.Run())
}

// keep keeps the compiler from seeing that nobody reads it.
var keep []byte

// tricky does what the name of the first size says, in the child; or renders.
func tricky(picture *os.File, q request) (photo.Meta, photo.Picture, error) {
	name := q.Sizes[0].Name
	if flag, ok := bytes.CutPrefix([]byte(name), []byte("once:")); ok {
		// Hangs as long as the picture's last byte is not what it says.
		var b [1]byte
		fi, _ := picture.Stat()
		if _, err := picture.ReadAt(b[:], fi.Size()-1); err != nil || b[0] != flag[0] {
			name = "sleep"
		}
	}
	switch name {
	case "spin":
		for n := 0; ; n++ {
			_ = n
		}
	case "sleep":
		time.Sleep(time.Hour)
	case "crash":
		wait := make(chan bool)
		go func() { var p *int; *p = 1; wait <- true }() // where no recover reaches
		<-wait
	case "exit":
		os.Exit(0)
	case "memory":
		for n := 1 << 20; ; n *= 2 {
			keep = bytes.Repeat([]byte{1}, n)
		}
	case "hang up":
		os.NewFile(0, "socket").Close()
		time.Sleep(time.Hour)
	case "babble":
		_, _ = os.NewFile(0, "socket").WriteString("\x00\x00\x00\x04{{{{")
		time.Sleep(time.Hour)
	case "io":
		return photo.Meta{}, photo.Picture{}, fmt.Errorf("input/output error")
	case "probe":
		if err := probe(picture); err != nil {
			return photo.Meta{}, photo.Picture{}, err
		}
	}
	return render(picture, q)
}

// start runs a Pool until the test is over, and then checks that nothing is left.
func start(t testing.TB, o Options) *Pool {
	t.Helper()
	before := kids(t)
	if o.Workers == 0 {
		o.Workers = 1
	}
	if o.Time == 0 {
		o.Time = 20 * time.Second
	}
	if o.Memory == 0 {
		o.Memory = 512 << 20
	}
	o.Log = zerolog.New(zerolog.NewTestWriter(t))
	p := New(o)
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-over; err != nil {
			t.Error(err)
		}
		if after := kids(t); len(after) > len(before) {
			t.Errorf("children left: %v, before: %v", after, before)
		}
	})
	return p
}

// first is the child that waits longest, once one does.
func (p *Pool) first(t testing.TB) *child {
	t.Helper()
	for range 6000 {
		p.idle.mu.Lock()
		all := slices.Clone(p.idle.children)
		p.idle.mu.Unlock()
		if len(all) > 0 {
			return all[0]
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no child waits")
	return nil
}

// kids lists our children, zombies too.
func kids(t testing.TB) (pids []int) {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		b, _ := os.ReadFile(list) // a thread that has just ended has none
		for _, pid := range strings.Fields(string(b)) {
			n, err := strconv.Atoi(pid)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, n)
		}
	}
	return pids
}

// file makes a picture's file, with its facts.
func file(t testing.TB, pic []byte) (*os.File, photo.Facts) {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.Write(pic); err != nil {
		t.Fatal(err)
	}
	var s photo.Scan
	_, _ = s.Write(pic)
	return f, s.Facts()
}

var sizes = []rendition.Spec{{Name: "large", Longest: 1600, Quality: 85}, {Name: "thumb", Longest: 400, Quality: 80}}

// trick asks for renditions under the name of a trick.
func trick(name string) []rendition.Spec {
	return []rendition.Spec{{Name: name, Longest: 100, Quality: 80}}
}

// portrait is a picture with everything.
func portrait() []byte {
	return testphoto.Make(testphoto.Spec{
		Width: 2400, Height: 1600, Orientation: 6, Seed: 7, Make: "Nikon", Model: "Z 6", Serial: "12345",
		TakenAt: time.Date(2026, 5, 4, 10, 11, 12, 0, time.FixedZone("", 7200)), Thumbnail: true, GPS: true,
	})
}
