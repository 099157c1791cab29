package terminal

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestOnlyWideColumnsAreShortened(t *testing.T) {
	long := "job00001/Class 1/individuals/IMG_0001.jpg"
	rows := func() [][]string {
		return [][]string{{"ACCOUNT", "PATH", "URL"}, {"acme", long, "http://127.0.0.1:8480/" + strings.Repeat("ä", 56) + ".jpg"}}
	}
	width := func(row []string) (n int) {
		for _, cell := range row {
			n += utf8.RuneCountInString(cell)
		}
		return n + gap*(len(row)-1)
	}
	for _, columns := range []int{200, 135, 80, 50, 20} {
		got, want := rows(), rows()
		shortened := fit(got, columns)
		if shortened != (columns < 135) || !shortened && got[1][2] != want[1][2] {
			t.Errorf("%d columns: %q", columns, got)
		}
		if n := width(got[1]); n > max(columns, 4+2*narrow+2*gap) || got[1][0] != "acme" {
			t.Errorf("%d columns: %d wide: %q", columns, n, got)
		}
	}
	got := rows()
	fit(got, 80)
	if !strings.HasPrefix(got[1][1], "job00001/Class") || !strings.HasSuffix(got[1][1], "IMG_0001.jpg") {
		t.Errorf("%q", got[1])
	}
}

func TestAPipeHasNoWidth(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if n := Columns(w); n != 0 {
		t.Error(n)
	}
	var out strings.Builder
	table := Table[string]{Head: "A", Row: func(s string) []string { return []string{s} }}
	if long := strings.Repeat("x", 500); table.Write(&out, []string{long}, Columns(w)) || out.String() != "A\n"+long+"\n" {
		t.Error(out.String())
	}
}
