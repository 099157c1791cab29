package ingest

import (
	"bytes"
	"os"
	"testing"
	"time"

	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
	"picday/internal/upload"
	"picday/store/pictures"
)

// One build makes the same bytes for the renditions of a picture on arrival, and again after
// the configuration was changed and changed back.
func TestRederivedIsByteIdentical(t *testing.T) {
	b := newBed(t)
	files := map[string][]byte{
		"camera": testphoto.Make(testphoto.Spec{
			Width: 2500, Height: 1700, Orientation: 6, Make: "ACME", TakenAt: time.Unix(1e9, 5e7), Thumbnail: true,
		}),
		"tiny": testphoto.Tiny(1),
	}
	for _, name := range []string{"420", "444", "grey", "progressive", "cmyk", "rgb", "icc"} {
		data, err := os.ReadFile("../internal/photo/testdata/" + name + ".jpg")
		b.must(err)
		files[name] = data
	}
	for name, data := range files {
		b.write("acme/job1/x/"+name+".jpg", data)
		b.settle("acme/job1/x/" + name + ".jpg")
	}
	// bytesOf returns the published renditions of a picture by name.
	bytesOf := func(name string) map[string][]byte {
		p, all := b.photo("acme/job1/x/"+name+".jpg"), map[string][]byte{}
		for _, r := range p.Renditions {
			data, err := os.ReadFile(b.Store.Files().Path(pictures.Rendition(p.SHA, r.Spec)))
			b.must(err)
			all[r.Name] = data
		}
		return all
	}
	before := map[string]map[string][]byte{}
	for name := range files {
		before[name] = bytesOf(name)
	}
	was := b.cfg.Images.Renditions
	for _, renditions := range [][]rendition.Spec{{{Name: "icon", Longest: 64, Quality: 70}}, was} {
		b.cfg.Images.Renditions = renditions
		b.restart()
		b.running(func(chan<- upload.File, <-chan bool) { b.must(b.Rederive(t.Context())) })
		for name := range files {
			if got := bytesOf(name); len(got) != len(renditions) {
				t.Fatalf("%s has %d renditions, not %d", name, len(got), len(renditions))
			}
		}
	}
	for name := range files {
		after := bytesOf(name)
		for rendition, data := range before[name] {
			if !bytes.Equal(after[rendition], data) {
				t.Errorf("%s: %s was %d bytes, is %d other ones", name, rendition, len(data), len(after[rendition]))
			}
		}
	}
}
