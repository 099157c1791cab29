package export

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A dir is an Output.
type dir string

type file struct{ *os.File }

func (d dir) Create(name string) (io.WriteCloser, error) {
	to := filepath.Join(string(d), name)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(to)
	return file{f}, err
}

// bands is an upright picture with the colours of its four quarters from above.
func bands(t testing.TB, width, height int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, []color.Color{color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255}, color.Gray{uint8(x * y)}}[4*y/height])
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 92}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func class(picture []byte, width, height, n int) (all []Person) {
	for i := range n {
		all = append(all, Person{
			ID: fmt.Sprintf("%04d", i), First: "Zoé", Last: fmt.Sprintf("Łąbel %d", i), Class: "5b", Grade: "05", Teacher: "Ms\tX", Width: width, Height: height,
			Read: func(context.Context, Size) ([]byte, error) { return picture, nil },
		})
	}
	return all
}

// reader reads what was exported with nothing of ours: Python's zipfile, csv and struct.
const reader = `
import sys, json, struct, zipfile, os, csv, io
def size(b):
    i = 2
    while True:
        marker, n = b[i+1], struct.unpack('>H', b[i+2:i+4])[0]
        if 0xc0 <= marker <= 0xc2:
            return [struct.unpack('>H', b[i+7:i+9])[0], struct.unpack('>H', b[i+5:i+7])[0], len(b)]
        i += 2 + n
out = {'pictures': {}, 'rows': [], 'files': [], 'zips': []}
def take(where, name, b):
    out['files'].append(where + name)
    if name.lower().endswith('.jpg'):
        out['pictures'][where + name] = size(b)
    elif name == 'idlink.txt':
        out['rows'] += list(csv.reader(io.StringIO(b.decode('ascii'))))
    elif name == 'map.txt':
        out['rows'] += [l.split('\t') for l in b.decode('ascii').split('\r\n') if l]
    elif name == 'INDEX.TXT':
        out['rows'] += list(csv.DictReader(io.StringIO(b.decode('cp1252')), delimiter='\t'))
for top, _, names in os.walk(sys.argv[1]):
    for n in sorted(names):
        p = os.path.join(top, n)
        if n.endswith('.zip'):
            z = zipfile.ZipFile(p)
            assert z.testzip() is None
            out['zips'].append(os.path.getsize(p))
            for i in z.infolist():
                take('', i.filename, z.read(i))
        else:
            take(os.path.relpath(top, sys.argv[1]) + '/', n, open(p, 'rb').read())
json.dump(out, sys.stdout)
`

type seen struct {
	Pictures map[string][3]int
	Rows     []any
	Files    []string
	Zips     []int
}

func readBack(t *testing.T, d dir) (s seen) {
	t.Helper()
	cmd := exec.Command("python3", "-c", reader, string(d))
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// Every format is read back by a reader that is not ours, with the sizes and rows that the
// target wants, and is the same bytes each time.
func TestEveryFormatIsReadBack(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed: nobody else reads the files")
	}
	people := class(bands(t, 720, 1080), 720, 1080, 3)
	for name, want := range map[string]struct {
		pictures map[string]string
		row      string
		files    int
	}{
		"flat":            {map[string]string{"0000.jpg": "480 600", "0002.jpg": "480 600"}, "", 3},
		"infinite-campus": {map[string]string{"0000.jpg": "350 526"}, "", 3},
		"powerschool":     {map[string]string{"0000.jpg": "200 300"}, "[0000 0000.jpg]", 4},
		"destiny":         {map[string]string{"00001.jpg": "240 320", "00003.jpg": "240 320"}, "[0000 00001.jpg]", 4},
		"pspi": {
			map[string]string{"SPRING1/FOLDER1/S0000001.JPG": "320 400", "SPRING1/FOLDER1/L0000001.JPG": "640 800"},
			"map[Department: First Name:Zoé Grade:05 Home Room:5b Image File Name:L0000001.JPG Image Folder:FOLDER1 Image Size:LARGE Last Name:Label 0 Period: Teacher Name:Ms X Title: Track: Volume Name:SPRING1]",
			10,
		},
	} {
		f, err := Find(name)
		if err != nil {
			t.Fatal(err)
		}
		good, out := f.Check(people)
		if len(good) != 3 || out != nil {
			t.Errorf("%s: %v", name, out)
		}
		d, again := dir(t.TempDir()), dir(t.TempDir())
		for _, d := range []dir{d, again} {
			if err := f.Run(t.Context(), good, Options{Title: "Spring 1", Top: 0.25, Out: d}); err != nil {
				t.Fatal(name, err)
			}
		}
		if diff, err := exec.Command("diff", "-r", string(d), string(again)).CombinedOutput(); err != nil {
			t.Errorf("%s: repeated, it differs: %s", name, diff)
		}
		s := readBack(t, d)
		for p, size := range want.pictures {
			if got := s.Pictures[p]; fmt.Sprintf("%d %d", got[0], got[1]) != size {
				t.Errorf("%s: %s is %v, not %s", name, p, got, size)
			}
		}
		if len(s.Files) != want.files || want.row != "" && fmt.Sprint(s.Rows[0]) != want.row {
			t.Errorf("%s: %v\n%v", name, s.Files, s.Rows)
		}
	}
}

// A zip ends before its limit, and each has the index of its own pictures; a picture has
// no more bytes than the format allows.
func TestZipsAreSplitAtTheirLimit(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed: nobody else reads the files")
	}
	people := class(bands(t, 400, 600), 400, 600, 7)
	f, err := Find("destiny")
	if err != nil {
		t.Fatal(err)
	}
	f.ZipBytes, f.Sizes = 40<<10, []Size{{240, 320, 12 << 10}}
	d := dir(t.TempDir())
	if err := f.Run(t.Context(), people, Options{Top: 0.25, Out: d}); err != nil {
		t.Fatal(err)
	}
	s := readBack(t, d)
	if len(s.Zips) < 2 || len(s.Rows) != 7 || len(s.Pictures) != 7 {
		t.Errorf("%v, %d rows", s.Zips, len(s.Rows))
	}
	for _, n := range s.Zips {
		if n > 40<<10 {
			t.Errorf("a zip of %d bytes", n)
		}
	}
	for name, p := range s.Pictures {
		if p[2] > 12<<10 {
			t.Errorf("%s has %d bytes", name, p[2])
		}
	}
	f.Sizes = []Size{{240, 320, 500}}
	d = dir(t.TempDir())
	if err := f.Run(t.Context(), people, Options{Out: d}); err == nil || !strings.Contains(err.Error(), "does not fit into the bytes") {
		t.Error(err)
	}
}

// Whoever cannot be exported is named with the reason.
func TestWhoIsLeftOutIsNamed(t *testing.T) {
	read := class(nil, 1000, 1500, 1)[0].Read
	people := []Person{
		{ID: "1", First: "Ann", Width: 1000, Height: 1500, Read: read},
		{ID: "2", First: "Bo"},
		{ID: "3", Width: 1500, Height: 1000, Read: read},
		{ID: "4", Width: 100, Height: 150, Read: read},
		{First: "Cy", Width: 1000, Height: 1500, Read: read},
		{ID: "../5", Width: 1000, Height: 1500, Read: read},
		{ID: "a", Width: 1000, Height: 1500, Read: read},
		{ID: "A", Width: 1000, Height: 1500, Read: read},
	}
	f, err := Find("powerschool")
	if err != nil {
		t.Fatal(err)
	}
	good, out := f.Check(people)
	want := "[Bo (2): there is no photo 3: the photo is not upright: cut it by hand 4: the photo is kept with 100×150 pixels, too few for 200×300 Cy: there is no ID ../5: the ID cannot be the name of a file A: but for capitals, a has the same ID]"
	if len(good) != 2 || fmt.Sprint(out) != want {
		t.Errorf("%d\n%s\n%s", len(good), fmt.Sprint(out), want)
	}
	if f, err = Find("pspi"); err != nil {
		t.Fatal(err)
	}
	if good, _ := f.Check(people); len(good) != 2 {
		t.Errorf("%+v", good)
	}
	if _, err := Find("xml"); err == nil {
		t.Error("an unknown format")
	}
}

// A picture loses what the ratio leaves no room for: a quarter of it above, or as the
// anchor says; 2:3 loses nothing for 200×300 and 175×263.
func TestAPictureIsCutAsTheAnchorSays(t *testing.T) {
	for _, c := range []struct {
		w, h int
		s    Size
		top  float64
		want string
	}{
		{1000, 1500, Size{Width: 200, Height: 300}, 0.25, "(0,0)-(1000,1500)"},
		{1000, 1500, Size{Width: 175, Height: 263}, 0.25, "(1,0)-(999,1500)"},
		{1000, 1500, Size{Width: 640, Height: 800}, 0.25, "(0,62)-(1000,1312)"},
		{1000, 1500, Size{Width: 640, Height: 800}, 0, "(0,0)-(1000,1250)"},
		{1000, 1500, Size{Width: 640, Height: 800}, 1, "(0,250)-(1000,1500)"},
		{1200, 1500, Size{Width: 200, Height: 300}, 0.25, "(100,0)-(1100,1500)"},
	} {
		if got := cropOf(c.w, c.h, c.s, Anchor{0.5, c.top}).String(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	f := Format{Sizes: []Size{{100, 100, 0}}}
	p := class(bands(t, 400, 800), 400, 800, 1)[0]
	for top, want := range map[float64]string{0: "red", 1: "blue"} {
		x := &run{Options{Top: top}, f, nil}
		pictures, err := x.pictures(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		m, err := jpeg.Decode(bytes.NewReader(pictures[0]))
		if err != nil {
			t.Fatal(err)
		}
		r, _, b, _ := m.At(50, 10).RGBA()
		if got := map[bool]string{true: "red", false: "blue"}[r > b]; got != want {
			t.Errorf("at %g: %s", top, got)
		}
	}
}

// The colour profile of a picture goes with it.
func TestTheProfileIsKept(t *testing.T) {
	picture := bands(t, 400, 600)
	segment := append([]byte("\xff\xe2\x00\x20ICC_PROFILE\x00\x01\x01"), bytes.Repeat([]byte("x"), 16)...)
	with := append(append(append([]byte(nil), picture[:2]...), segment...), picture[2:]...)
	if got := profileOf(with); !bytes.Equal(got, segment) {
		t.Fatalf("%q", got)
	}
	x := &run{Options{}, Format{Sizes: []Size{{200, 300, 0}}}, nil}
	pictures, err := x.pictures(t.Context(), class(with, 400, 600, 1)[0])
	if err != nil || !bytes.Contains(pictures[0], segment) {
		t.Error(err)
	}
	if _, err := jpeg.Decode(bytes.NewReader(pictures[0])); err != nil {
		t.Error(err)
	}
}

type nowhere struct{}

func (nowhere) Create(string) (io.WriteCloser, error) { return nowhere{}, nil }
func (nowhere) Write(b []byte) (int, error)           { return len(b), nil }
func (nowhere) Close() error                          { return nil }

func BenchmarkPSPI(b *testing.B) {
	people := class(bands(b, 1067, 1600), 1067, 1600, 50)
	f, err := Find("pspi")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := f.Run(b.Context(), people, Options{Top: 0.25, Out: nowhere{}}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*20, "s/1000")
}
