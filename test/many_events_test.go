package test

import (
	"fmt"
	"os"
	"testing"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// The kernel's event queue overflows while the daemon is stopped, so later events are lost.
// The daemon finds all photos nevertheless. make torture tests it with 20,000 photos.
func TestOverflow(t *testing.T) {
	photos := 400
	if os.Getenv("PICDAY_TORTURE") != "" {
		photos = 20_000
	}
	s := newSite(t)
	u := s.jobs("flood", "job1", "job2")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.uploadAndWait(u, "/job1/A/0.jpg")
	s.uploadAndWait(u, "/job1/A/1.jpg")

	s.daemon.Freeze()
	s.causeEvents(u, 20_000)
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
		s.runAs(u, "cp", "-r", fmt.Sprintf("%s/local/Class %d", s.Dir, class), fmt.Sprintf("%s/job%d/", u.Dir(), 1+class%2))
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
	s.rescan()
	s.requireFiles(len(want))
}

// causeEvents causes events in a watched folder. It changes the modes of two files in turn, so that
// the kernel merges no events.
func (s *site) causeEvents(u *bed.Uploader, events int) {
	s.t.Helper()
	for i := range events {
		file := fmt.Sprintf("%s/job1/A/%d.jpg", u.Dir(), i%2)
		s.must(os.Chmod(file, os.FileMode(0o600+i/2%2*0o40)))
	}
}

// Thousands of events for one file delay and hide nothing.
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
	if st := s.status(); st.EventsProvenAt == nil || st.EventStreamsRebuilt != 0 || st.WatchesMissing != 0 || st.Overflows != 0 {
		t.Errorf("%+v", st)
	}
}
