package ingest

import (
	"crypto/sha256"
	"os"
	"testing"

	testphoto "picday/internal/test/photo"
)

// A portrait that was overwritten in place, renamed to another spelling of its ID before it
// was taken, and then renamed to another ID, is shown for the last ID only.
func TestAPortraitLeavesEverySpelling(t *testing.T) {
	const dir = "lincoln/lincoln/user-pictures/"
	b := newBed(t)
	mv := func(from, to string) { b.must(os.Rename(b.at(dir+from), b.at(dir+to))) }
	b.write(dir+"105.JPG", testphoto.Vary(whole, 1))
	b.settle(dir + "105.JPG")
	b.write(dir+"105.JPG", testphoto.Vary(whole, 2)) // os.WriteFile keeps the inode
	mv("105.JPG", "105.jpg")
	b.gone(dir + "105.JPG")
	b.settle(dir + "105.jpg")
	mv("105.jpg", "103.jpg")
	b.gone(dir + "105.jpg")
	b.settle(dir + "103.jpg")
	if p := b.photo(dir + "103.jpg"); p == nil || p.SHA != sha256.Sum256(testphoto.Vary(whole, 2)) {
		t.Errorf("103 shows %+v", p)
	}
	for _, name := range []string{"105.jpg", "105.JPG"} {
		if p := b.photo(dir + name); p != nil {
			t.Errorf("%s still shows %s, which is 103's picture", name, p.SHA)
		}
	}
}
