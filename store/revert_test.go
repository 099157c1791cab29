package store

import (
	"testing"

	"picday/internal/layout"
)

// After Revert from Ben's picture to Ann's, Ann's picture stays published under the link
// whatever happens to Ben's file, and Ben's file does not become the photo of that path.
func TestRevertOutlivesTheFile(t *testing.T) {
	grace := func(w *world) { w.expire() }
	for name, then := range map[string]func(w *world){
		"deleted":                 func(w *world) { w.rm(name1); w.gone(name1); grace(w) },
		"deleted, uploaded again": func(w *world) { w.rm(name1); w.gone(name1); w.put(name1, "Ben"); w.settle(); grace(w) },
		"deleted, uploaded again later": func(w *world) {
			w.rm(name1)
			w.gone(name1)
			grace(w)
			w.put(name1, "Ben")
			w.settle()
			grace(w)
		},
		"broken, deleted":          func(w *world) { w.put(name1, "broken"); w.settle(); w.rm(name1); w.gone(name1); grace(w) },
		"broken by rename, mended": func(w *world) { w.replace(name1, "broken"); w.settle(); w.put(name1, "Ben"); w.settle(); grace(w) },
		"another volume": func(w *world) {
			w.files[name1].Volume = 8
			w.settle()
			grace(w)
		},
		"another volume, broken": func(w *world) {
			w.files[name1].Volume = 8
			w.put(name1, "broken")
			w.settle()
			grace(w)
		},
	} {
		for _, when := range []string{"there", "missing"} {
			w := newWorld(t, layout.Jobs)
			w.shots(name1, "Ann", "Ben")
			link := w.at(name1).Link
			if when == "missing" { // for less than the grace
				ben := w.files[name1]
				delete(w.files, name1)
				w.gone(name1)
				w.must(w.revert(name1, ""))
				w.files[name1] = ben
				w.settle()
			} else {
				w.must(w.revert(name1, ""))
			}
			then(w)
			u, _, err := w.s.UploadAt(t.Context(), w.acct.ID, name1)
			w.must(err)
			if without, err := w.s.WithoutFile(t.Context(), w.at(name1).ID); err != nil || without == (u.PhotoID != 0) {
				t.Errorf("%s, %s: without its file %v, %v, %+v", when, name, without, err, u)
			}
			if w.shows(link, "Ann") == "" || len(w.photos(false)) != 1 {
				t.Errorf("%s, %s: %+v", when, name, w.photos(false))
			}
		}
	}
}

// A Revert to the picture that an earlier Revert has replaced makes the current file a
// problem, and touching the file does not change that.
func TestRevertAwayFromTheFile(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.shots(name1, "Ann", "Ben")
	w.must(w.revert(name1, ""))
	w.replace(name1, "Ann")
	w.settle()
	w.must(w.revert(name1, shaOf("Ben").String()))
	if r := w.reasonAt(name1); r != layout.Reverted || w.at(name1).SHA != shaOf("Ben") {
		t.Errorf("Ann's file is %q", r)
	}
	w.touch(name1)
	w.settle()
	if r := w.reasonAt(name1); r != layout.Reverted || w.at(name1).SHA != shaOf("Ben") {
		t.Errorf("touched, Ann's file is %q", r)
	}
}

// PicturesOfInode includes the picture of a reverted file.
func TestPicturesOfInodeDeclined(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.shots(name1, "Ann", "Ben")
	w.must(w.revert(name1, ""))
	shas, err := w.s.PicturesOfInode(t.Context(), w.acct.ID, w.files[name1].Identity)
	w.must(err)
	found := false
	for _, sha := range shas {
		found = found || sha == shaOf("Ben")
	}
	if !found {
		t.Errorf("%v", shas)
	}
}

// Two files with the same picture in a job, on two file systems, are two photos.
func TestSamePictureOnTwoVolumes(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put(name1, "Ann")
	w.settle()
	link := w.link(name1)
	w.put("job1/B/IMG_1.jpg", "Ann")
	w.files["job1/B/IMG_1.jpg"].Volume = 8
	w.settle()
	w.expire()
	if len(w.photos(false)) != 2 || w.link(name1) != link || w.link("job1/B/IMG_1.jpg") == link {
		t.Errorf("%+v", w.photos(false))
	}
}
