package test

import (
	"fmt"
	"os"
	"testing"

	"picday/internal/testbed"
	"picday/internal/testphoto"
)

// The kernel's queue of events overflows while the daemon is stopped, and what
// came after that is lost to it. make torture makes it 20,000 photos.
func TestOverflow(t *testing.T) {
	photos := 2_000
	if os.Getenv("PICDAY_TORTURE") != "" {
		photos = 20_000
	}
	s := newSite(t)
	u := s.jobs("flood", "job1", "job2")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.proof(u, "/job1/A/0.jpg")
	s.proof(u, "/job1/A/1.jpg")

	s.daemon.Freeze()
	s.flood(u, 20_000)
	tiny := testphoto.Tiny(1)
	for i := range photos {
		dir := fmt.Sprintf("Class %d", i/100)
		s.Local(fmt.Sprintf("%s/%d.jpg", dir, i), testphoto.Vary(tiny, i))
	}
	want := []string{"job1/A/0.jpg", "job1/A/1.jpg"}
	for i := range photos {
		want = append(want, fmt.Sprintf("job%d/Class %d/%d.jpg", 1+i/100%2, i/100, i))
	}
	for class := range photos / 100 {
		s.as(u, "cp", "-r", fmt.Sprintf("%s/local/Class %d", s.Dir, class), fmt.Sprintf("%s/job%d/", u.Dir(), 1+class%2))
	}
	s.daemon.Thaw()

	s.waitPhotos(u, want...)
	st := s.status()
	if st.Overflows == 0 {
		t.Errorf("nothing overflowed: this test cannot see: %+v", st)
	}
	if st.Problems != 0 || st.Photos != len(want) {
		t.Errorf("%+v", st)
	}
	s.settled()
	s.onceEach(len(want))
}

// flood makes events in a watched folder, more than the kernel's queue holds:
// two files change their modes in turn, so that no two events are merged.
func (s *site) flood(u *testbed.Uploader, events int) {
	s.t.Helper()
	for i := range events {
		file := fmt.Sprintf("%s/job1/A/%d.jpg", u.Dir(), i%2)
		s.must(os.Chmod(file, os.FileMode(0o600+i/2%2*0o40)))
	}
}

// Events in the thousands for one file cost nothing and hide nothing.
func TestABusyFile(t *testing.T) {
	s := newSite(t)
	u := s.jobs("busyfile", "job1")
	wire, f := s.openSlow(u)
	data := testphoto.Make(testphoto.Spec{Width: 4000, Height: 3000, Noise: 30})
	for i := 0; i < len(data); i += 300 {
		_, err := f.Write(data[i:min(i+300, len(data))])
		s.must(err)
	}
	s.must(f.Close())
	s.must(wire.Put("/job1/A/other.jpg", photo()))
	s.waitPhotos(u, "job1/A/slow.jpg", "job1/A/other.jpg")
	s.waitSum(u, "job1/A/slow.jpg", data)
	if st := s.status(); st.Overflows != 0 {
		t.Errorf("%+v", st)
	}
}
