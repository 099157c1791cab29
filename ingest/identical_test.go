package ingest

import (
	"bytes"
	"os"
	"testing"
	"time"

	"picday/internal/config"
	"picday/internal/testphoto"
)

// On one build, the renditions of a picture are the same bytes whenever they are
// made: on arrival, or again for a configuration that was changed there and back.
func TestRederivedIsByteIdentical(t *testing.T) {
	b := newBed(t)
	pictures := map[string][]byte{
		"camera": testphoto.Make(testphoto.Spec{
			Width: 2500, Height: 1700, Orientation: 6, Make: "ACME", TakenAt: time.Unix(1e9, 5e7), Thumbnail: true,
		}),
		"tiny": testphoto.Tiny(1),
	}
	for _, name := range []string{"420", "444", "grey", "progressive", "cmyk", "rgb", "icc"} {
		data, err := os.ReadFile("../photo/testdata/" + name + ".jpg")
		b.must(err)
		pictures[name] = data
	}
	for name, data := range pictures {
		b.write("acme/job1/x/"+name+".jpg", data)
		b.settle("acme/job1/x/" + name + ".jpg")
	}
	// bytesOf is what is published of a picture, by rendition.
	bytesOf := func(name string) map[string][]byte {
		p, all := b.photo("acme/job1/x/"+name+".jpg"), map[string][]byte{}
		for _, r := range p.Renditions {
			data, err := os.ReadFile(b.Store.RenditionPath(p.SHA, r.RenditionSpec))
			b.must(err)
			all[r.Name] = data
		}
		return all
	}
	before := map[string]map[string][]byte{}
	for name := range pictures {
		before[name] = bytesOf(name)
	}
	was := b.cfg.Images.Renditions
	for _, renditions := range [][]config.Rendition{{{Name: "icon", Longest: 64, Quality: 70}}, was} {
		b.cfg.Images.Renditions = renditions
		b.restart()
		b.running(func(chan<- File, <-chan bool) { b.must(b.Rederive(t.Context())) })
		for name := range pictures {
			if got := bytesOf(name); len(got) != len(renditions) {
				t.Fatalf("%s has %d renditions, not %d", name, len(got), len(renditions))
			}
		}
	}
	for name := range pictures {
		after := bytesOf(name)
		for rendition, data := range before[name] {
			if !bytes.Equal(after[rendition], data) {
				t.Errorf("%s: %s was %d bytes, is %d other ones", name, rendition, len(data), len(after[rendition]))
			}
		}
	}
}
