package decoder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"picday/internal/photo"
	testphoto "picday/internal/test/photo"
)

func TestSame(t *testing.T) {
	p := start(t, Options{})
	for name, pic := range map[string][]byte{
		"portrait": portrait(), "tiny": testphoto.Tiny(3), "small": testphoto.Make(testphoto.Spec{Width: 31, Height: 17}),
	} {
		f, facts := file(t, pic)
		if _, err := f.Seek(5, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		m, got, err := p.Render(t.Context(), "acme", f, facts, sizes)
		if err != nil {
			t.Fatal(name, err)
		}
		wantMeta := photo.ReadMeta(bytes.NewReader(pic))
		want, err := photo.Render(bytes.NewReader(pic), wantMeta, facts, photo.DefaultLimits, sizes)
		if err != nil {
			t.Fatal(name, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: not the renditions that photo makes", name)
		}
		_, zone := m.TakenAt.Zone()
		_, wantZone := wantMeta.TakenAt.Zone()
		if !m.TakenAt.Equal(wantMeta.TakenAt) || zone != wantZone {
			t.Errorf("%s: taken at %s, want %s", name, m.TakenAt, wantMeta.TakenAt)
		}
		m.TakenAt = wantMeta.TakenAt
		if !reflect.DeepEqual(m, wantMeta) {
			t.Errorf("%s: %+v, want %+v", name, m, wantMeta)
		}
		if at, _ := f.Seek(0, io.SeekCurrent); at != 5 {
			t.Errorf("%s: the file's offset moved to %d", name, at)
		}
	}
}

// Whatever a child does, it costs one error, and the next picture is fine.
func TestTricks(t *testing.T) {
	p := start(t, Options{Time: time.Second, Wall: 5 * time.Minute})
	f, facts := file(t, testphoto.Tiny(1))
	for _, c := range []struct {
		trick string
		want  error
	}{
		{"spin", photo.ErrTooComplex},
		{"sleep", photo.ErrTooComplex},
		{"memory", photo.ErrTooComplex},
		{"crash", photo.ErrDamaged},
		{"exit", photo.ErrDamaged},
		{"hang up", photo.ErrDamaged},
		{"babble", photo.ErrDamaged},
		{"io", errFailed},
	} {
		p.Wall = 5 * time.Minute
		if c.trick == "sleep" {
			p.Wall = time.Second
		}
		began := time.Now()
		_, out, err := p.Render(t.Context(), "acme", f, facts, trick(c.trick))
		t.Logf("%s: %v after %s", c.trick, err, time.Since(began).Round(time.Millisecond))
		if c.trick == "spin" && !strings.Contains(fmt.Sprint(err), "CPU") {
			t.Errorf("spin: %v, want the CPU limit to end it before the clock does", err)
		}
		if !errors.Is(err, c.want) || out.Renditions != nil {
			t.Errorf("%s: %v, want %v", c.trick, err, c.want)
		}
		if c.want == errFailed && (errors.Is(err, photo.ErrDamaged) || errors.Is(err, photo.ErrTooComplex)) {
			t.Errorf("%s: %v blames the picture", c.trick, err)
		}
		if _, _, err := p.Render(t.Context(), "acme", f, facts, sizes); err != nil {
			t.Errorf("after %s: %v", c.trick, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	p := start(t, Options{})
	pic := testphoto.Tiny(1)
	f, facts := file(t, pic)
	c := facts
	c.Whole = false
	if _, _, err := p.Render(t.Context(), "acme", f, c, sizes); !errors.Is(err, photo.ErrIncomplete) {
		t.Error(err)
	}
	garbled := bytes.Clone(pic)
	for i := len(garbled) / 2; i < len(garbled)/2+200; i++ {
		garbled[i] = 0x55
	}
	g, facts := file(t, garbled[:len(garbled)-900])
	facts.Whole = true // a lie, to see what the child says
	if _, _, err := p.Render(t.Context(), "acme", g, facts, sizes); !errors.Is(err, photo.ErrDamaged) {
		t.Error(err)
	}
	if p.first(t).served != 1 {
		t.Error("a refusal cost a child")
	}
}

// A progressive frame of 65,500 x 65,500, whose coefficients take 12 GB, with limits
// that let it through: what is left is what the kernel grants.
func TestMemoryBomb(t *testing.T) {
	p := start(t, Options{Memory: 256 << 20})
	pic := testphoto.Tiny(1)
	at := bytes.Index(pic, []byte{0xff, 0xc0})
	pic[at+1] = 0xc2
	copy(pic[at+5:], []byte{0xff, 0xdc, 0xff, 0xdc})
	var s photo.Scan
	_, _ = s.Write(pic)
	pic[s.Facts().HeaderEnd-2] = 0 // a scan of the DC coefficients only
	f, facts := file(t, pic)
	if err := photo.Check(facts, photo.DefaultLimits); !errors.Is(err, photo.ErrTooComplex) {
		t.Fatal(err)
	}
	began := time.Now()
	_, _, err := p.do(t.Context(), "acme", f, request{Facts: facts, Limits: photo.Limits{MaxProgressive: 1 << 40}, Sizes: sizes})
	t.Log(err, time.Since(began))
	if !errors.Is(err, photo.ErrTooComplex) {
		t.Error(err)
	}
	f, facts = file(t, testphoto.Tiny(2))
	if _, _, err := p.Render(t.Context(), "acme", f, facts, sizes); err != nil {
		t.Error(err)
	}
}

// atWork waits until a child other than one has a picture, and returns its process. Only
// root may look what files a child has open; for others some time has to do.
func atWork(t *testing.T, picture *os.File, other int) int {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for _, pid := range kids(t) {
			if pid == other {
				continue
			}
			if os.Getuid() != 0 {
				time.Sleep(2 * time.Second)
				return pid
			}
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			if !strings.Contains(string(line), "decode") { // not yet another program than this
				continue
			}
			open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
			for _, fd := range open {
				if to, _ := os.Readlink(fd); to == picture.Name() {
					return pid
				}
			}
		}
	}
	t.Error("no child is at work")
	return other
}

func kill(t *testing.T, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
}

func TestKilled(t *testing.T) {
	p := start(t, Options{})
	pic := testphoto.Tiny(1)
	f, facts := file(t, pic)
	pid := func() int { return p.first(t).cmd.Process.Pid }

	t.Run("idle", func(t *testing.T) {
		kill(t, pid())
		if _, _, err := p.Render(t.Context(), "acme", f, facts, sizes); err != nil {
			t.Error(err)
		}
	})
	t.Run("at work once", func(t *testing.T) {
		first := pid()
		// Hangs until the file ends otherwise, behind EOI, where nothing else looks.
		go func() {
			atWork(t, f, 0)
			_, _ = f.WriteAt([]byte{'!'}, facts.Bytes)
			kill(t, first)
		}()
		if _, _, err := p.Render(t.Context(), "acme", f, facts, trick("once:!")); err != nil {
			t.Error(err)
		}
	})
	t.Run("at work twice", func(t *testing.T) {
		go func() {
			first := atWork(t, f, 0)
			kill(t, first)
			kill(t, atWork(t, f, first))
		}()
		if _, _, err := p.Render(t.Context(), "acme", f, facts, trick("sleep")); !errors.Is(err, photo.ErrTooComplex) {
			t.Error(err)
		}
		if _, _, err := p.Render(t.Context(), "acme", f, facts, sizes); err != nil {
			t.Error(err)
		}
	})
}

func TestCancel(t *testing.T) {
	p := start(t, Options{})
	f, facts := file(t, testphoto.Tiny(1))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		atWork(t, f, 0)
		cancel()
	}()
	if _, _, err := p.Render(ctx, "acme", f, facts, trick("sleep")); !errors.Is(err, context.Canceled) { // not its limit
		t.Error(err)
	}
	if _, _, err := p.Render(t.Context(), "acme", f, facts, sizes); err != nil {
		t.Error(err)
	}
}

// What does not fit into the budget together runs one after the other.
func TestBudget(t *testing.T) {
	p := start(t, Options{Workers: 2, Memory: 256 << 20})
	f, facts := file(t, testphoto.Tiny(1))
	big := facts
	big.Width, big.Height, big.Progressive = 4000, 4000, true
	large, small := need(request{Facts: big, Sizes: sizes}), need(request{Facts: facts, Sizes: sizes})
	if 2*large < p.Memory || large+small > p.Memory {
		t.Fatal(large, small)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var first sync.WaitGroup
	first.Go(func() { _, _, _ = p.Render(ctx, "acme", f, big, append(trick("sleep"), sizes...)) })
	for p.budget.all.TryAcquire(p.Memory / 2) { // until the first holds its part
		p.budget.all.Release(p.Memory / 2)
		time.Sleep(10 * time.Millisecond)
	}
	short, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	if _, _, err := p.Render(short, "acme", f, big, sizes); !errors.Is(err, context.DeadlineExceeded) {
		t.Error("two big ones at once:", err)
	}
	if _, _, err := p.Render(t.Context(), "acme", f, facts, sizes); err != nil {
		t.Error("a small one beside a big one:", err)
	}
	cancel()
	first.Wait()
}

func TestNothingLeaks(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 200
	}
	p := start(t, Options{Workers: 2})
	f, facts := file(t, testphoto.Make(testphoto.Spec{Width: 64, Height: 48}))
	round := func(i int) {
		what := trick("small")
		if i%100 == 99 {
			what = trick("crash")
		}
		_, _, err := p.Render(t.Context(), "acme", f, facts, what)
		if (err != nil) != (i%100 == 99) {
			t.Error(i, err)
		}
	}
	round(0)
	before, alive := fds(t), len(kids(t))
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := w; i < n; i += 2 {
				round(i)
			}
		})
	}
	wg.Wait()
	round(0)
	round(0)
	for end := time.Now().Add(time.Minute); fds(t) > before || len(kids(t)) > alive; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d descriptors before, %d after; %d children before, %d after", before, fds(t), alive, len(kids(t)))
		}
	}
}

func fds(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// A child does not outlive its pool, and a request then ends as the machine's fault.
func TestStopped(t *testing.T) {
	p := New(Options{Workers: 1, Time: time.Second, Memory: 256 << 20})
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error)
	go func() { over <- p.Run(ctx) }()
	f, facts := file(t, testphoto.Tiny(1))
	time.AfterFunc(300*time.Millisecond, cancel)
	if _, _, err := p.Render(t.Context(), "acme", f, facts, trick("sleep")); !errors.Is(err, errStopped) {
		t.Error(err)
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
	if _, _, err := p.Render(t.Context(), "acme", f, facts, sizes); !errors.Is(err, errStopped) {
		t.Error(err)
	}
}
