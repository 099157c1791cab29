package photo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"picday/internal/test/bed"
)

// judged is what exiftool says of a file, in the places where picday looks.
type judged map[string]string

// exiftool reads all JPEGs below a directory.
func exiftool(t *testing.T, dir string) map[string]judged {
	t.Helper()
	cmd := exec.Command("exiftool", "-json", "-n", "-q", "-q", "-r", "-ext", "jpg", "-ext", "jpeg", "-fast2",
		"-charset", "EXIF=UTF8", "-IFD0:Orientation", "-IFD0:Make", "-IFD0:Model", "-IFD0:CameraSerialNumber", "-G1", "-EXIF:SerialNumber", "-EXIF:DateTimeOriginal",
		"-EXIF:SubSecTimeOriginal", "-EXIF:OffsetTimeOriginal", "-EXIF:CreateDate", "-EXIF:SubSecTimeDigitized", "-EXIF:OffsetTimeDigitized", dir)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	_ = cmd.Run() // 1 where a file is no JPEG
	var rows []map[string]any
	dec := json.NewDecoder(&out)
	dec.UseNumber() // texts of digits, some with zeros before them
	if err := dec.Decode(&rows); err != nil {
		t.Fatal(err, complaints.String())
	}
	all := map[string]judged{}
	for _, r := range rows {
		j := judged{}
		for k, v := range r {
			group, name, _ := strings.Cut(k, ":")
			if group != "IFD1" && group != "SubIFD" && j[name] == "" {
				j[name] = fmt.Sprint(v)
			}
		}
		all[fmt.Sprint(r["SourceFile"])] = j
	}
	return all
}

// differs compares what exiftool says with what we read: "" if they agree. more is
// whether there may be something that exiftool could not read.
func (j judged) differs(m Meta, more bool) string {
	var want tags
	want.texts = map[uint16]string{
		tagMake: j["Make"], tagModel: j["Model"], tagSerial: j["SerialNumber"], tagSerialDNG: j["CameraSerialNumber"],
		tagOriginal: j["DateTimeOriginal"], tagOriginalSubSec: j["SubSecTimeOriginal"], tagOriginalZone: j["OffsetTimeOriginal"],
		tagDigitized: j["CreateDate"], tagDigitizedSubSec: j["SubSecTimeDigitized"], tagDigitizedZone: j["OffsetTimeDigitized"],
	}
	_, _ = fmt.Sscan(j["Orientation"], &want.orientation)
	if want.orientation > 8 {
		want.orientation = 0
	}
	w := want.meta()
	var out []string
	for _, f := range []struct {
		name          string
		says, we      any
		known, differ bool
	}{
		{"orientation", w.Orientation, m.Orientation, want.orientation != 0, w.Orientation != m.Orientation},
		{"make", w.Make, m.Make, w.Make != "", w.Make != m.Make},
		{"model", w.Model, m.Model, w.Model != "", w.Model != m.Model},
		{"serial", w.Serial, m.Serial, w.Serial != "", w.Serial != m.Serial},
		{"time", w.TakenAt, m.TakenAt, !w.TakenAt.IsZero(), !w.TakenAt.Equal(m.TakenAt) || w.TakenZone != m.TakenZone},
	} {
		if f.differ && (f.known || !more) {
			out = append(out, fmt.Sprintf("%s: exiftool %v, we %v", f.name, f.says, f.we))
		}
	}
	return strings.Join(out, "; ")
}

// TestExiftoolAgrees: of every built file, and of every photo of the folder named
// in PICDAY_SAMPLES.
func TestExiftoolAgrees(t *testing.T) {
	bed.Need(t, "exiftool", "libimage-exiftool-perl")
	dir := t.TempDir()
	more := map[string]bool{}
	n := 0
	for name, c := range exifCases(t) {
		n++
		file := filepath.Join(dir, fmt.Sprintf("%03d %s.jpg", n, name))
		more[file] = c.more
		if err := os.WriteFile(file, c.jpeg, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	compare(t, dir, func(file string) bool { return more[file] })
	if samples := os.Getenv("PICDAY_SAMPLES"); samples != "" {
		compare(t, samples, func(string) bool { return true })
	}
}

func compare(t *testing.T, dir string, more func(string) bool) {
	t.Helper()
	says := exiftool(t, dir)
	n, turned, taken := 0, 0, 0
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || says[file] == nil {
			return err
		}
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		m := ReadMeta(f)
		if n++; m.Orientation > 1 {
			turned++
		}
		if !m.TakenAt.IsZero() {
			taken++
		}
		if d := says[file].differs(m, more(file)); d != "" {
			t.Errorf("%s: %s", file, d)
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Error(err)
	}
	t.Logf("%s: %d files, %d of them turned, %d with a time", dir, n, turned, taken)
}
