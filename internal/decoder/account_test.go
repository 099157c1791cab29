package decoder

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"picday/internal/photo"
	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
)

// A child never sees pictures of two accounts, and none for long.
func TestOneAccountEach(t *testing.T) {
	p := start(t, Options{Workers: 2})
	f, facts := file(t, testphoto.Tiny(1))
	served := func(account string) (pid int) {
		t.Helper()
		if _, _, err := p.Render(t.Context(), account, f, facts, sizes); err != nil {
			t.Fatal(err)
		}
		p.idle.mu.Lock()
		defer p.idle.mu.Unlock()
		for _, c := range p.idle.children {
			if c.account == account && c.served > 0 {
				pid = c.cmd.Process.Pid
			}
		}
		return pid
	}
	owner := map[int]string{}
	for i := range 40 {
		account := []string{"acme", "lincoln", "acme", "studio"}[i%4]
		pid := served(account)
		if was := owner[pid]; pid == 0 || was != "" && was != account {
			t.Errorf("picture %d: child %d has served %q, now %q", i, pid, was, account)
		}
		owner[pid] = account
	}
	if a, b := served("acme"), served("acme"); a != b {
		t.Error("a child for each picture of one account")
	}
	if pid := served(""); pid != 0 {
		t.Error("who has served nobody's picture lives on")
	}
	pids := map[int]bool{}
	for range maxServed + 1 {
		if pid := served("acme"); pid != 0 {
			pids[pid] = true
		}
	}
	if len(pids) < 2 {
		t.Errorf("%d children for %d pictures", len(pids), maxServed+1)
	}
	if n := len(kids(t)); n > 2 {
		t.Errorf("%d children for 2 places", n)
	}
	served("acme")
	p.idle.retire(time.Now())
	for _, c := range p.idle.children {
		if c.account != "" {
			t.Errorf("idle for long, and still there: %s's", c.account)
		}
	}
}

// blocks is a picture of which each block of 8 x 8 has one grey, so that its decoded
// rows are known; with a comment that no other has.
func blocks(seed uint64, note string) (pic []byte, row []byte) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	img := image.NewGray(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			if x%8 == 0 && y%8 == 0 {
				img.SetGray(x, y, color.Gray{Y: uint8(16 * (1 + rnd.IntN(14)))})
			} else {
				img.Pix[y*640+x] = img.Pix[y/8*8*640+x/8*8]
			}
		}
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, &jpeg.Options{Quality: 100})
	segment := append([]byte{0xff, 0xfe, 0, byte(2 + len(note))}, note...)
	pic = append(append(bytes.Clone(b.Bytes()[:2]), segment...), b.Bytes()[2:]...)
	return pic, img.Pix[200*640 : 200*640+128]
}

// What one picture leaves behind could be shown with the next, should the decoder have
// a fault, or go out with it, should it have been taken over. So it leaves nothing: no
// sample, no byte of the file, none of the renditions.
func TestNothingOutlivesAPicture(t *testing.T) {
	p := start(t, Options{})
	first, row := blocks(1, "the first picture's very own comment")
	second := testphoto.Make(testphoto.Spec{Width: 16, Height: 16}) // so small that it covers little
	large := []rendition.Spec{{Name: "large", Longest: 1600, Quality: 85}, {Name: "thumb", Longest: 100, Quality: 80}}
	render := func(pic []byte) []photo.Rendition {
		f, facts := file(t, pic)
		_, out, err := p.Render(t.Context(), "acme", f, facts, large)
		if err != nil {
			t.Fatal(err)
		}
		return out.Renditions
	}
	out := render(first)
	marks := map[string][]byte{"comment": []byte("picture's very own comment"), "samples": row}
	for name, b := range map[string][]byte{"file": first, "large": out[0].JPEG, "thumb": out[1].JPEG} {
		for _, at := range []int{len(b) / 4, len(b) / 2, len(b) * 3 / 4, len(b) - 64} {
			marks[fmt.Sprint(name, " at ", at)] = b[at : at+32]
		}
	}
	c := p.first(t)
	render(second) // its answer comes when the first one's are gone
	if q := p.first(t); q != c {
		t.Fatal("another child")
	}
	for _, name := range search(t, c.cmd.Process.Pid, marks) {
		t.Errorf("in the child's memory after the next picture: %s", name)
	}
}

// search lists the marks that are found in the memory of a process.
func search(t *testing.T, pid int, marks map[string][]byte) (found []string) {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Skip("the memory of a child cannot be read here: ", err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Skip("the memory of a child cannot be read here: ", err)
	}
	defer mem.Close()
	read := 0
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var rights string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &rights); err != nil || rights[:2] != "rw" {
			continue
		}
		b := make([]byte, min(to-from, 256<<20))
		n, _ := mem.ReadAt(b, from)
		read += n
		for name, mark := range marks {
			if bytes.Contains(b[:n], mark) {
				found = append(found, name)
			}
		}
	}
	if read < 1<<20 {
		t.Fatalf("only %d bytes read", read)
	}
	return found
}
