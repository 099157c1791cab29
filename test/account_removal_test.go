package test

import (
	"os"
	"testing"

	"picday/internal/test/bed"
	"picday/store"
)

// A removal with files that is refused changes nothing. When it is run again it completes,
// and the next account of that name has nothing of the first.
func TestRemovalIsWhole(t *testing.T) {
	s := newSite(t)
	u := s.portraits("leaver")
	s.must(u.ByKey().MustWire().Put(pictures(u)+"12.jpg", photo()))
	s.waitPhotos(u, u.Name+"/user-pictures/12.jpg")
	link := s.photos(u)[u.Name+"/user-pictures/12.jpg"].Link

	inside := u.Dir() + "/" + u.Name + "/user-pictures/disk"
	s.must(os.Mkdir(inside, 0o755))
	s.MountTmpfs(inside)
	if r := s.Picday("account", "remove", u.Name, "--files"); r.Code != 4 {
		t.Fatal(r)
	}
	s.waitPhotos(u, u.Name+"/user-pictures/12.jpg")
	s.Unmount(inside)
	s.MustPicday("account", "remove", u.Name, "--files")
	if _, err := os.Lstat(u.Dir()); !os.IsNotExist(err) {
		t.Errorf("the tree: %v", err)
	}
	if r := s.Picday("photos", u.Name); r.Code != 3 {
		t.Error(r)
	}

	again := s.portraits("leaver")
	if again.Name != u.Name {
		t.Fatalf("%s is not %s", again.Name, u.Name)
	}
	s.must(again.ByKey().MustWire().Put(pictures(again)+"12.jpg", photo()))
	s.waitPhotos(again, again.Name+"/user-pictures/12.jpg")
	if s.photos(again)[u.Name+"/user-pictures/12.jpg"].Link == link {
		t.Error("the next customer's picture is under the first one's link")
	}
}

// A new account does not get files that are already in the folder of its name.
func TestStrangersFilesAreNotAdopted(t *testing.T) {
	s := newSite(t)
	name := s.Name("heir")
	s.must(os.MkdirAll(s.Uploads+"/"+name+"/"+name+"/user-pictures", 0o755))
	s.must(os.WriteFile(s.Uploads+"/"+name+"/"+name+"/user-pictures/12.jpg", photo(), 0o644))
	if r := s.Picday("account", "add", name, "--layout", "portraits"); r.Code != 4 {
		t.Error(r)
	}
}

// An activation killed before the folder was hidden is simply run again.
func TestInterruptedActivation(t *testing.T) {
	s := newSite(t)
	u := s.jobs("halfway", "job1")
	cat, err := store.Open(t.Context(), s.Data)
	s.must(err)
	job, err := cat.All().Job(t.Context(), u.Name, "job1")
	s.must(err)
	s.must(cat.Update(t.Context(), func(tx *store.Tx) error { return tx.SetJobState(job, store.Activating, "") }))
	s.must(cat.Close())

	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.must(wire.Put("/job1/A/1.jpg", photo()))
	s.waitPhotos(u, "job1/A/1.jpg")
	var jobs []bed.Job
	s.JSON(&jobs, "job", "list", u.Name)
	if len(jobs) != 1 || jobs[0].State != "planned" {
		t.Errorf("%+v", jobs)
	}
	s.MustPicday("job", "activate", u.Name, "job1")
	s.JSON(&jobs, "job", "list", u.Name)
	if jobs[0].State != "active" || jobs[0].Photos != 1 {
		t.Errorf("%+v", jobs)
	}
}
