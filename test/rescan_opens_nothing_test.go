package test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// opens records when a directory and the files in it are opened.
type opens struct {
	s  *site
	fd int
}

func (s *site) watchOpens(dir string) *opens {
	s.t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	s.must(err)
	s.t.Cleanup(func() { _ = unix.Close(fd) })
	_, err = unix.InotifyAddWatch(fd, dir, unix.IN_OPEN)
	s.must(err)
	return &opens{s, fd}
}

// openedSince lists the files that were opened since the last call, and counts how
// often the directory itself was.
func (o *opens) openedSince() (files []string, dir int) {
	o.s.t.Helper()
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(o.fd, buf)
		if errors.Is(err, unix.EAGAIN) {
			return files, dir
		}
		o.s.must(err)
		for b := buf[:n]; len(b) > 0; {
			mask, size := binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint32(b[12:])
			switch name := strings.TrimRight(string(b[16:16+size]), "\x00"); {
			case mask&unix.IN_Q_OVERFLOW != 0:
				o.s.t.Fatal("more was opened than the kernel could tell")
			case mask&unix.IN_ISDIR != 0:
				dir++
			default:
				files = append(files, name)
			}
			b = b[16+size:]
		}
	}
}

// A full scan lists directories and stats files, but opens no known photo.
func TestLookingAgainOpensNoFile(t *testing.T) {
	s := newSite(t)
	u := s.jobs("known", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	want := []string{}
	for i := range 50 {
		s.must(wire.Put(fmt.Sprintf("/job1/A/%d.jpg", i), photo()))
		want = append(want, fmt.Sprintf("job1/A/%d.jpg", i))
	}
	broken := photo()
	s.must(wire.Put("/job1/A/broken.jpg", broken[:len(broken)/2]))
	s.waitPhotos(u, want...)
	s.waitProblems(u, map[string]string{"job1/A/broken.jpg": "incomplete"})
	s.rescan()

	o := s.watchOpens(u.Dir() + "/job1/A")
	for what, again := range map[string]func(){
		"rescan": s.rescan,
		"restart": func() {
			s.terminate(s.daemon)
			s.daemon = s.StartDaemon()
			s.rescan()
		},
	} {
		again()
		if files, dir := o.openedSince(); len(files) > 0 || dir == 0 {
			t.Errorf("%s: the album was listed %d times, and opened were %s", what, dir, shorten(files))
		}
	}
	f, err := os.Open(u.Dir() + "/job1/A/7.jpg")
	s.must(err)
	s.must(f.Close())
	if files, _ := o.openedSince(); len(files) != 1 || files[0] != "7.jpg" {
		t.Errorf("the test opened a file and saw %q: this test cannot see", files)
	}
}
