package test

import (
	"fmt"
	"testing"
	"time"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// requireUntaken requires that path is neither a photo nor a problem, although the daemon has
// published a later upload.
func (s *site) requireUntaken(u *bed.Uploader, path string) {
	s.t.Helper()
	s.uploadAndWait(u, fmt.Sprintf("/job1/A/proof%d.jpg", photoCount.Add(1)))
	if p, ok := s.photos(u)[path]; ok {
		s.t.Fatalf("taken while it is being uploaded: %+v", p)
	}
	if p, ok := s.problems(u)[path]; ok {
		s.t.Fatalf("a problem while it is being uploaded: %+v", p)
	}
}

func (s *site) openSlow(u *bed.Uploader) (*bed.Wire, *bed.File) {
	s.t.Helper()
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	f, err := wire.Open("/job1/A/slow.jpg", bed.Write|bed.Create|bed.Truncate)
	s.must(err)
	return wire, f
}

// The line is so slow that more than the quiet time passes between any two bytes. The file
// does not become a photo, because a process has it open for writing.
func TestASlowUploadIsNeverTakenEarly(t *testing.T) {
	s := newSite(t, bed.Options{Settle: 100 * time.Millisecond})
	u := s.jobs("dsl", "job1")
	_, f := s.openSlow(u)
	data := photo()
	nothing := func(when string) {
		t.Helper()
		photos, problems, originals := s.photos(u), s.problems(u), s.originals()
		if len(photos)+len(problems)+len(originals)+len(s.renditions()) > 0 {
			t.Fatalf("%s: photos %v, problems %v, originals %v", when, photos, problems, originals)
		}
	}
	most := len(data) - 20
	_, err := f.Write(data[:most])
	s.must(err)
	for i := most; i < len(data); i++ {
		time.Sleep(200 * time.Millisecond)
		nothing(fmt.Sprintf("%d bytes of %d", i, len(data)))
		_, err = f.Write(data[i : i+1])
		s.must(err)
	}
	// The JPEG is complete, but the client may write more, because bytes after EOI are legal.
	s.Never("taken before it is closed", time.Second, func() (bool, any) {
		nothing("whole, and open")
		return false, nil
	})
	_, err = f.Write([]byte("more"))
	s.must(err)
	s.requireUntaken(u, "job1/A/slow.jpg")
	s.must(f.Close())
	s.waitSum(u, "job1/A/slow.jpg", append(data, "more"...))
}

func TestAPreallocatedFileIsNeverTakenEarly(t *testing.T) {
	s := newSite(t)
	u := s.jobs("prealloc", "job1")
	wire, f := s.openSlow(u)
	data := photo()
	s.must(f.Truncate(uint64(len(data))))
	// Write the end first, so that only the middle is missing.
	f.At = uint64(len(data) - 100)
	_, err := f.Write(data[len(data)-100:])
	s.must(err)
	s.requireUntaken(u, "job1/A/slow.jpg")
	f.At = 0
	_, err = f.Write(data[:len(data)/2])
	s.must(err)
	s.requireUntaken(u, "job1/A/slow.jpg")
	_, err = f.Write(data[len(data)/2 : len(data)-100])
	s.must(err)
	s.must(f.Close())
	s.waitSum(u, "job1/A/slow.jpg", data)

	// The upload is cut off before the end is written: the size is right, the content is not.
	f, err = wire.Open("/job1/A/cut.jpg", bed.Write|bed.Create)
	s.must(err)
	s.must(f.Truncate(uint64(len(data))))
	_, err = f.Write(data[:len(data)/2])
	s.must(err)
	wire.Cut()
	s.waitProblems(u, map[string]string{"job1/A/cut.jpg": "incomplete"})
}

func TestAPausedClientKeepsItsFile(t *testing.T) {
	s := newSite(t)
	u := s.jobs("paused", "job1")
	wire, f := s.openSlow(u)
	data := photo()
	_, err := f.Write(data)
	s.must(err)
	wire.Hang()
	for range 3 {
		s.requireUntaken(u, "job1/A/slow.jpg")
	}
	wire.GoOn()
	s.must(f.Close())
	s.waitSum(u, "job1/A/slow.jpg", data)
}

func TestATemporaryNameIsNotAPhoto(t *testing.T) {
	s := newSite(t)
	u := s.jobs("winscp", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	temps := map[string]string{
		"1.jpg.filepart": "1.jpg", "2.jpg.5f3a90c1.partial": "2.jpg", ".in.3.jpg": "3.jpg", "4.jpg.part": "4.jpg", "5.tmp": "5.jpg",
	}
	want := []string{}
	for temp, final := range temps {
		s.must(wire.Put("/job1/A/"+temp, photo()))
		want = append(want, "job1/A/"+final)
	}
	for _, noise := range []string{"._1.jpg", ".DS_Store", "Thumbs.db", "desktop.ini"} {
		s.must(wire.Put("/job1/A/"+noise, photo()))
	}
	for _, dir := range []string{"@eaDir", "__MACOSX"} {
		s.must(wire.Mkdir("/job1/A/" + dir))
		s.must(wire.Put("/job1/A/"+dir+"/n.jpg", photo()))
	}
	s.uploadAndWait(u, "/job1/A/proof.jpg")
	s.waitPhotos(u, "job1/A/proof.jpg")
	s.waitProblems(u, map[string]string{})
	for temp, final := range temps {
		s.must(wire.Rename("/job1/A/"+temp, "/job1/A/"+final)) // sshd renames by link and unlink
	}
	s.waitPhotos(u, append(want, "job1/A/proof.jpg")...)
	s.waitProblems(u, map[string]string{})
}

// scp does not truncate the file that it overwrites. During the upload, and after it was cut
// off, the file has the beginning of the new photo and the end of the old one with its EOI.
func TestHalfNewHalfOldIsNeverPublished(t *testing.T) {
	for name, sizes := range map[string][2]int{"a longer one": {1800, 1200}, "a shorter one": {1200, 1800}} {
		t.Run("over "+name, func(t *testing.T) {
			s := newSite(t)
			u := s.jobs("half", "job1")
			s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
			var data [2][]byte
			var local [2]string
			for i, width := range sizes {
				data[i] = testphoto.Make(testphoto.Spec{Width: width, Height: 1000, Seed: uint64(i)})
				local[i] = s.Local(fmt.Sprint(i, ".jpg"), data[i])
			}
			s.mustSucceed(u.ByKey().SCP(local[0], "127.0.0.1:/job1/A/x.jpg"))
			s.waitSum(u, "job1/A/x.jpg", data[0])

			line := s.Line(len(data[1]) / 3)
			done := make(chan bed.Out)
			go func() { done <- u.ByKey().Via(line).SCP(local[1], "127.0.0.1:/job1/A/x.jpg") }()
			s.Eventually("some of the new photo is in the file", func() (bool, any) {
				now := diskFile(t, u, "job1/A/x.jpg")
				at := len(data[0]) / 4
				return string(now[at:at+4096]) != string(data[0][at:at+4096]), "not yet"
			})
			line.Pause()
			s.uploadAndWait(u, "/job1/A/proof1.jpg")
			s.waitSum(u, "job1/A/x.jpg", data[0])
			line.Cut()
			<-done
			s.uploadAndWait(u, "/job1/A/proof2.jpg")
			s.rescan()
			if p := s.photos(u)["job1/A/x.jpg"]; p.SHA256 != sum(data[0]) {
				t.Errorf("half new, half old is published: %+v", p)
			}
			if now := diskFile(t, u, "job1/A/x.jpg"); sum(now) == sum(data[0]) || sum(now) == sum(data[1]) {
				t.Fatal("the file is not half new and half old: this test cannot see")
			}
			s.mustSucceed(u.ByKey().SCP(local[1], "127.0.0.1:/job1/A/x.jpg"))
			s.waitSum(u, "job1/A/x.jpg", data[1])
		})
	}
}
