package terminal

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestTextOfAStrangerCannotSteerTheTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"Class 1/Ä.jpg": "Class 1/Ä.jpg", "two\nlines": "two\nlines",
		"\x1b[2Jgone\r\a": "�[2Jgone��", "\u202egpj.exe": "�gpj.exe", "\xff": "�",
	} {
		if got := Plain(in); got != want {
			t.Errorf("Plain(%q) = %q", in, got)
		}
	}
}

func TestAValueCannotAddAColumn(t *testing.T) {
	var out strings.Builder
	table := Table[[2]string]{Head: "A\tB", Row: func(v [2]string) []string { return v[:] }}
	table.Write(&out, [][2]string{{"x\ty", "\x1b[1m"}, {"", "z"}}, 0)
	if want := "A\tB\nx�y\t�[1m\n\tz\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

func TestMeterIsSilentWithoutATerminal(t *testing.T) {
	var out bytes.Buffer
	m := NewMeter(&out, "pictures")
	m.Show(1, 2)
	m.End()
	if out.Len() > 0 {
		t.Errorf("%q", out.Bytes())
	}
}

func TestMeterShowsTheFirstAndThenNotTooOften(t *testing.T) {
	var out bytes.Buffer
	m := &Meter{w: &out, what: "pictures", on: true}
	m.Show(0, 9)
	m.next = time.Now().Add(time.Hour)
	m.Show(1, 9)
	m.End()
	if want := clearLine + "0 of 9 pictures" + clearLine; out.String() != want {
		t.Errorf("%q", out.String())
	}
}
