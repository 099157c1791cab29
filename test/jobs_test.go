package test

import (
	"slices"
	"strings"
	"testing"

	"picday/internal/test/bed"
)

func (s *site) job(u *bed.Uploader, name string) bed.Job {
	s.t.Helper()
	var jobs []bed.Job
	s.JSON(&jobs, "job", "list", u.Name)
	for _, j := range jobs {
		if j.Job == name {
			return j
		}
	}
	s.t.Fatalf("no job %s in %+v", name, jobs)
	return bed.Job{}
}

func TestActivateWaitsForUploads(t *testing.T) {
	s := newSite(t)
	u := s.jobs("seller", "job1", "job2")
	wire, f := s.openSlow(u)
	data := photo()
	_, err := f.Write(data[:500])
	s.must(err)
	s.uploadAndWait(u, "/job1/A/proof.jpg")

	r := s.Picday("job", "activate", u.Name, "job1", "--wait", "1s")
	if r.Code != 4 || !strings.Contains(r.Stderr, "slow.jpg") || !strings.Contains(r.Stderr, "--wait") {
		t.Errorf("activating while an upload runs: %v", r)
	}
	if j := s.job(u, "job1"); j.State != "planned" {
		t.Errorf("the job is %+v", j)
	}
	if !wire.Exists("/job1/A/slow.jpg") {
		t.Error("the folder is gone from SFTP")
	}
	_, err = f.Write(data[500:])
	s.must(err)
	s.must(f.Close())
	s.waitSum(u, "job1/A/slow.jpg", data)

	s.MustPicday("job", "activate", u.Name, "job1", "--wait", "60s")
	if j := s.job(u, "job1"); j.State != "active" || j.Photos != 2 || j.Albums != 1 {
		t.Errorf("the job is %+v", j)
	}
}

// Activating waits until the last file of a running upload is a photo.
func TestActivateTakesTheLastPhotoFirst(t *testing.T) {
	s := newSite(t)
	u := s.jobs("last", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	for _, name := range []string{"1.jpg", "2.jpg", "3.jpg", "4.jpg"} {
		s.must(wire.Put("/job1/A/"+name, photo()))
	}
	s.MustPicday("job", "activate", u.Name, "job1", "--wait", "60s")
	if j := s.job(u, "job1"); j.State != "active" || j.Photos != 4 {
		t.Errorf("the job is %+v", j)
	}
}

func TestActiveAndPlannedAgain(t *testing.T) {
	s := newSite(t)
	u := s.jobs("cycle", "job1", "job2")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.must(wire.Mkdir("/job2/A"))
	s.must(wire.Mkdir("/job1/A/empty"))
	for _, name := range []string{"A/1.jpg", "A/2.jpg", "lost.jpg", "A/notes.txt"} {
		s.must(wire.Put("/job1/"+name, photo()))
	}
	want := []string{"job1/A/1.jpg", "job1/A/2.jpg"}
	before, rendered := s.waitPhotos(u, want...), s.renditions()
	s.waitProblems(u, map[string]string{"job1/lost.jpg": "no-album", "job1/A/notes.txt": "not-jpeg"})

	s.MustPicday("job", "activate", u.Name, "job1", "--with-problems")
	s.MustPicday("job", "activate", u.Name, "job1") // repeating it is no error
	if root, err := wire.List("/"); !slices.Equal(root, []string{"job2"}) || err != nil {
		t.Errorf("SFTP shows %q, %v", root, err)
	}
	if wire.Put("/job1/A/3.jpg", photo()) == nil || wire.Mkdir("/job1") == nil {
		t.Error("an active job takes uploads")
	}
	s.uploadAndWait(u, "/job2/A/proof.jpg")
	s.requireStillPublished(u, append(want, "job2/A/proof.jpg")...)

	// Neither a restart nor a full scan withdraws them.
	s.daemon.Kill()
	s.daemon = s.StartDaemon()
	s.rescan()
	s.requireStillPublished(u, append(want, "job2/A/proof.jpg")...)

	s.MustPicday("job", "plan", u.Name, "job1")
	s.MustPicday("job", "plan", u.Name, "job1")
	files, err := wire.List("/job1/A")
	slices.Sort(files)
	if !slices.Equal(files, []string{"1.jpg", "2.jpg", "empty", "notes.txt"}) || err != nil {
		t.Errorf("the folder came back with %q, %v", files, err)
	}
	s.must(wire.Put("/job1/A/3.jpg", photo()))
	s.must(wire.Remove("/job1/A/2.jpg"))
	got := s.waitPhotos(u, "job1/A/1.jpg", "job1/A/3.jpg", "job2/A/proof.jpg")
	if now, was := got["job1/A/1.jpg"], before["job1/A/1.jpg"]; now.Link != was.Link || now.IngestedAt != was.IngestedAt {
		t.Errorf("1.jpg was %+v, is %+v", was, now)
	}
	s.requireSameRenditions(rendered)
}

// Uploaders can use a new job at once. Adding a job again changes nothing.
func TestJobAdd(t *testing.T) {
	s := newSite(t)
	u := s.jobs("adder", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.must(wire.Put("/job1/A/1.jpg", photo()))
	s.waitPhotos(u, "job1/A/1.jpg")
	s.MustPicday("job", "add", u.Name, "job1", "Grundschule Süd 2026", "job 3")
	s.must(wire.Mkdir("/Grundschule Süd 2026/Klasse 1"))
	s.must(wire.Put("/Grundschule Süd 2026/Klasse 1/x.jpg", photo()))
	s.waitPhotos(u, "job1/A/1.jpg", "Grundschule Süd 2026/Klasse 1/x.jpg")
	if j := s.job(u, "Grundschule Süd 2026"); j.Photos != 1 || j.Albums != 1 || j.State != "planned" {
		t.Errorf("%+v", j)
	}
	if got := s.photos(u, "--job", "job1"); len(got) != 1 {
		t.Errorf("--job job1: %v", keys(got))
	}
	if got := s.photos(u, "--job", "Grundschule Süd 2026", "--album", "Klasse 1", "--area", "individuals"); len(got) != 1 {
		t.Errorf("--album: %v", keys(got))
	}
	if got := s.photos(u, "--area", "group"); len(got) != 0 {
		t.Errorf("--area group: %v", keys(got))
	}
}
