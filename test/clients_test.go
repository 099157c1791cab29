package test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// Every client that uploaders use can do what uploaders do.
func TestClients(t *testing.T) {
	s := newSite(t)
	for i, c := range bed.Clients() {
		t.Run(c.Name, func(t *testing.T) {
			bed.Need(t, c.Program, c.Package)
			s.lend(t)
			u := s.jobs(fmt.Sprintf("client%d", i), "job1")
			login := u.ByKey()
			if i%2 == 1 {
				login = u.ByPassword()
			}
			s.uploadTree(c, u, login)
			s.overwrite(c, u, login)
			s.renameAndDelete(c, u, login)
		})
	}
	s.verify()
}

// uploadTree uploads a folder with both areas.
func (s *site) uploadTree(c bed.Client, u *bed.Uploader, login bed.Login) {
	s.t.Helper()
	files := map[string][]byte{"Class 1/a.jpg": photo(), "Class 1/Individuals/b b.JPG": photo(), "Class 1/group/ü.jpeg": photo()}
	for name, data := range files {
		s.Local(name, data)
	}
	s.mustSucceed(c.PutTree(login, s.Dir+"/local/Class 1", "/job1"))
	got := s.waitPhotos(u, "job1/Class 1/a.jpg", "job1/Class 1/Individuals/b b.JPG", "job1/Class 1/group/ü.jpeg")
	for name, data := range files {
		if p := got["job1/"+name]; p.SHA256 != sum(data) || p.Bytes != int64(len(data)) {
			s.t.Errorf("%s: %d bytes, %s", name, p.Bytes, p.SHA256)
		}
	}
	if area := got["job1/Class 1/Individuals/b b.JPG"].Area + got["job1/Class 1/group/ü.jpeg"].Area; area != "individualsgroup" {
		s.t.Errorf("areas: %s", area)
	}
}

// overwrite uploads a shorter and then a longer photo over one that is there.
func (s *site) overwrite(c bed.Client, u *bed.Uploader, login bed.Login) {
	s.t.Helper()
	const path = "job1/Class 1/a.jpg"
	link := s.photos(u)[path].Link
	small := testphoto.Vary(testphoto.Make(testphoto.Spec{Width: 320, Height: 240}), int(photoCount.Add(1)))
	large := testphoto.Vary(testphoto.Make(testphoto.Spec{Width: 900, Height: 700}), int(photoCount.Add(1)))
	for _, data := range [][]byte{small, large} {
		s.mustSucceed(c.Put(login, s.Local("again.jpg", data), "/"+path))
		s.waitSum(u, path, data)
	}
	if p := s.photos(u)[path]; p.Link != link {
		s.t.Errorf("overwriting changed the link from %s to %s", link, p.Link)
	}
}

// renameAndDelete moves a photo to the other area and then deletes it.
func (s *site) renameAndDelete(c bed.Client, u *bed.Uploader, login bed.Login) {
	s.t.Helper()
	if c.Rename == nil {
		return
	}
	before := s.renditions()
	s.mustSucceed(c.Rename(login, "/job1/Class 1/a.jpg", "/job1/Class 1/group/moved.jpg"))
	s.waitPhotos(u, "job1/Class 1/group/moved.jpg", "job1/Class 1/Individuals/b b.JPG", "job1/Class 1/group/ü.jpeg")
	if trash := s.trash(u); len(trash) > 0 {
		s.t.Errorf("a renamed file is in the trash: %v", trash)
	}
	s.mustSucceed(c.Remove(login, "/job1/Class 1/group/moved.jpg"))
	s.waitPhotos(u, "job1/Class 1/Individuals/b b.JPG", "job1/Class 1/group/ü.jpeg")
	if trash := s.trash(u); len(trash) != 1 || trash["job1/Class 1/group/moved.jpg"].ExpiresAt.IsZero() {
		s.t.Errorf("the trash: %v", trash)
	}
	s.requireSameRenditions(before)
}

func (s *site) waitSum(u *bed.Uploader, path string, data []byte) bed.Photo {
	s.t.Helper()
	var p bed.Photo
	s.Eventually(path+" is what was uploaded last", func() (bool, any) {
		p = s.photos(u)[path]
		return p.SHA256 == sum(data), p
	})
	return p
}

// A file whose upload was cut off is an incomplete upload and no photo, until the upload is
// resumed.
func TestCutAndResumed(t *testing.T) {
	data := testphoto.Make(testphoto.Spec{Width: 2400, Height: 1600})
	s := newSite(t)
	for i, c := range bed.Clients() {
		if c.Resume == nil {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			bed.Need(t, c.Program, c.Package)
			s.lend(t)
			u := s.jobs(fmt.Sprintf("client%d", i), "job1")
			login := u.ByPassword()
			if i%2 == 1 {
				login = u.ByKey()
			}
			s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
			local, line := s.Local("x.jpg", data), s.Line(len(data)/2)
			done := make(chan bed.Out)
			go func() { done <- c.Put(login.Via(line), local, "/job1/A/x.jpg") }()
			s.Eventually("half of it has arrived", func() (bool, any) {
				size := max(sizeOf(u.Dir()+"/job1/A/x.jpg"), sizeOf(u.Dir()+"/job1/A/x.jpg.filepart"))
				return size > int64(len(data)/3), size
			})
			line.Cut()
			if out := <-done; out.Err == nil {
				t.Error("the client thinks that all is well")
			}
			s.uploadAndWait(u, "/job1/A/proof.jpg")
			if sizeOf(u.Dir()+"/job1/A/x.jpg") > 0 {
				s.waitProblems(u, map[string]string{"job1/A/x.jpg": "incomplete"})
			}
			s.waitPhotos(u, "job1/A/proof.jpg")
			s.mustSucceed(c.Resume(login, local, "/job1/A/x.jpg"))
			s.waitPhotos(u, "job1/A/proof.jpg", "job1/A/x.jpg")
			s.waitSum(u, "job1/A/x.jpg", data)
			s.waitProblems(u, map[string]string{})
		})
	}
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// put -p sets an old time and the local mode before close.
func TestTimesAndModes(t *testing.T) {
	s := newSite(t)
	u := s.jobs("acme", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))

	local := s.Local("old.jpg", photo())
	s.must(os.Chtimes(local, time.Unix(1e9, 0), time.Unix(1e9, 0)))
	s.must(os.Chmod(local, 0o600))
	s.mustSucceed(u.ByKey().SFTP(`put -p "` + local + `" /job1/A/old.jpg`))
	info, err := os.Stat(u.Dir() + "/job1/A/old.jpg")
	s.must(err)
	if info.ModTime().Unix() != 1e9 || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file arrived with %v, %v", info.ModTime(), info.Mode())
	}

	f, err := wire.Open("/job1/A/none.jpg", bed.Write|bed.Create)
	s.must(err)
	_, err = f.Write(photo())
	s.must(err)
	s.must(f.Chmod(0))
	s.must(f.Chtimes(1))
	s.must(f.Close())
	s.waitPhotos(u, "job1/A/none.jpg", "job1/A/old.jpg")

	// A later touch or chmod, as lftp and FileZilla do, makes no new photo.
	before, rendered := s.photos(u), s.renditions()
	s.must(wire.Chtimes("/job1/A/old.jpg", 5))
	s.must(wire.Chmod("/job1/A/none.jpg", 0o644))
	s.must(wire.Chmod("/job1/A", 0o700))
	s.uploadAndWait(u, "/job1/A/proof.jpg")
	for path, p := range before {
		if now := s.photos(u)[path]; now.IngestedAt != p.IngestedAt || now.Link != p.Link {
			t.Errorf("%s was taken again: %+v", path, now)
		}
	}
	s.requireSameRenditions(rendered)
}
