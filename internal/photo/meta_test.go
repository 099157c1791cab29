package photo

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	testphoto "picday/internal/test/photo"
)

func TestReadMeta(t *testing.T) {
	taken := time.Date(2026, 5, 4, 9, 8, 7, 45_000_000, time.FixedZone("", 2*3600))
	for o := 1; o <= 8; o++ {
		m := ReadMeta(bytes.NewReader(testphoto.Make(testphoto.Spec{
			Width: 64, Height: 48, Orientation: o, TakenAt: taken, Make: "Canon", Model: "EOS R6", Serial: "012", Thumbnail: true, GPS: true,
		})))
		if !m.TakenAt.Equal(taken) || !m.TakenZone {
			t.Errorf("taken at %v, zone %v", m.TakenAt, m.TakenZone)
		}
		if m.Orientation != o || m.Make != "Canon" || m.Model != "EOS R6" || m.Serial != "012" {
			t.Errorf("%+v", m)
		}
	}
	// Written by another hand: little-endian, no zone.
	m := ReadMeta(bytes.NewReader(samples(t)["exif-little-endian"]))
	want := Meta{Orientation: 8, TakenAt: time.Date(2024, 12, 31, 23, 59, 58, 50_000_000, time.UTC), Make: "NIKON", Model: "D 850", Serial: "42"}
	if m != want {
		t.Errorf("got %+v, want %+v", m, want)
	}
}

func TestReadMetaOfLittle(t *testing.T) {
	none := Meta{Orientation: 1}
	with := withThumbnail()
	for name, b := range map[string][]byte{
		"empty": nil, "text": []byte("hello"), "no EXIF": samples(t)["420"], "SOI": soi, "cut": with[:30],
	} {
		if m := ReadMeta(bytes.NewReader(b)); m != none {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if m := ReadMeta(broken{}); m != none {
		t.Errorf("broken reader: %+v", m)
	}
	for _, o := range []int{0, 9, 255, 65535} {
		b := testphoto.Make(testphoto.Spec{Width: 16, Height: 16, Orientation: o, Make: "a\x1b[2Jb\xff"})
		if m := ReadMeta(bytes.NewReader(b)); m.Orientation != 1 || m.Make != "a[2Jb" {
			t.Errorf("orientation %d: %+v", o, m)
		}
	}
}

// A time that no calendar holds is none, wherever the year leaves it.
func TestImpossibleTimes(t *testing.T) {
	for text, want := range map[string]bool{
		"0000-01-01T00:00:00+05:00": false, "0001-01-01T00:00:00Z": false, "1799-12-31T23:59:59Z": false, "9999-12-31T23:59:59-05:00": false, "9999-01-01T00:00:00Z": false,
		"1800-01-01T00:00:00Z": true, "9998-12-31T23:59:59Z": true, "1970-01-01T00:00:00Z": true,
	} {
		taken, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		m := ReadMeta(bytes.NewReader(testphoto.Make(testphoto.Spec{Width: 16, Height: 16, Orientation: 6, TakenAt: taken, Make: "A"})))
		if got := !m.TakenAt.IsZero(); got != want || want && !m.TakenAt.Equal(taken) || m.Orientation != 6 || m.Make != "A" {
			t.Errorf("%s: %+v", text, m)
		}
		if b, err := json.Marshal(m.TakenAt.UTC()); err != nil {
			t.Errorf("%s: %v", b, err)
		}
	}
}

func TestPossible(t *testing.T) {
	for text, want := range map[string]bool{"1800-01-01T00:30:00+01:00": false, "9998-12-31T23:30:00-01:00": false, "1800-01-01T00:30:00Z": true} {
		if at, err := time.Parse(time.RFC3339, text); err != nil || Possible(at) != want {
			t.Error(text, err)
		}
	}
	if Possible(time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 24*3600))) {
		t.Error("a day from UTC")
	}
}

type broken struct{}

var errDisk = errors.New("disk on fire")

func (broken) Read([]byte) (int, error)       { return 0, errDisk }
func (broken) Seek(int64, int) (int64, error) { return 0, nil }

// Files made to keep the EXIF reader busy: it must give up soon.
func TestReadMetaIsBounded(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// A table that is its own sub-table, 5,000 times over, full of tags to skip.
	ifd := binary.BigEndian.AppendUint16([]byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08"), 5000)
	for range 5000 {
		ifd = append(ifd, 0x01, 0x4a, 0, 4, 0, 0, 0x09, 0xc4, 0, 0, 0, 8) // SubIFD, 2500 longs at 8
	}
	for name, b := range map[string][]byte{
		"zeros":       append(slices.Clone(soi), make([]byte, 64<<20)...),
		"many tables": append(append(slices.Clone(soi), seg(0xe1, ifd...)...), samples(t)["420"][2:]...),
		"segments":    append(slices.Clone(soi), bytes.Repeat(seg(0xe2), 8<<20)...),
	} {
		before := threadCPU(t)
		ReadMeta(bytes.NewReader(b))
		d := threadCPU(t) - before
		t.Logf("%s: %v of CPU time", name, d)
		if d > 2*time.Second {
			t.Errorf("%s: %v", name, d)
		}
	}
}

// threadCPU is the CPU time of the calling thread, which a busy machine does not change.
func threadCPU(t *testing.T) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func FuzzReadMeta(f *testing.F) {
	f.Add(withThumbnail())
	f.Add(samples(f)["exif-little-endian"][:400])
	f.Add(testphoto.Make(testphoto.Spec{Width: 8, Height: 8, TakenAt: time.Unix(1e9, 0), Serial: "1", GPS: true})[:500])
	for _, c := range exifCases(f) {
		if len(c.jpeg) < 8000 {
			f.Add(c.jpeg[:min(len(c.jpeg), 600)])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { plausible(t, ReadMeta(bytes.NewReader(b))) })
}
