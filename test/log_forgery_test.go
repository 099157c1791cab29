package test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"picday/internal/test/bed"
)

// File names that would add a line to a log without escaping, or control the terminal on
// which it is read.
var forgeries = []string{
	"x\n{\"level\":\"fatal\",\"message\":\"forged\"}",
	"\",\"message\":\"forged\",\"x\":\"",
	"x\r\n\x1b[2J\x1b[31mforged\x07",
	"\x9b2Jforged \xc2\x9b2J \x7f",
	"forged \u2028\u202e gpj",
}

// Each line of the log is one JSON object, whatever uploaders call their files.
func TestLogLinesCannotBeForged(t *testing.T) {
	s := newSite(t, bed.Options{StrayKeep: time.Second})
	u, school := s.jobs("forger", "job1"), s.portraits("forgers")
	wire, schoolWire := u.ByKey().MustWire(), school.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	broken := photo()
	for i, name := range forgeries {
		s.must(wire.Put("/job1/A/"+name+".jpg", photo()))
		s.must(wire.Put("/job1/A/broken "+name+".jpg", append(broken[:len(broken)/2:len(broken)/2], 0xff, 0xd9)))
		s.must(wire.Put("/job1/A/cut "+name+".jpg", broken[:100]))
		s.must(u.Symlink("/etc/shadow", "/job1/A/link "+name+".jpg"))
		s.must(wire.Mkdir("/job1/" + name))
		s.must(wire.Put("/job1/"+name+"/a.jpg", photo()))
		s.must(schoolWire.Put("/"+school.Name+"/user-pictures/"+name+".jpg", photo()))
		s.must(schoolWire.Put(fmt.Sprintf("/%s/user-pictures/%d.jpg", school.Name, i+1), photo()))
	}
	count := func(photos, problems, strays int) {
		t.Helper()
		s.Eventually("what was uploaded has been dealt with", func() (bool, any) {
			p, q, r := len(s.photos(u)), len(s.problems(u)), len(s.problems(school))
			return p == photos && q == problems && r == strays, []int{p, q, r}
		})
	}
	n := len(forgeries)
	count(2*n, 3*n, 0) // the strays have been deleted by then
	for _, name := range forgeries {
		s.must(wire.Rename("/job1/"+name, "/job1/moved "+name))
		s.must(wire.Remove("/job1/A/" + name + ".jpg"))
	}
	count(n, 3*n, 0)
	s.rescan()
	s.terminate(s.daemon)
	s.requireCleanLog(s.daemon.LogPath())
}

// requireCleanLog requires that each line of a log is a JSON object without control characters in
// its strings, and that some of the names are in it.
func (s *site) requireCleanLog(path string) {
	s.t.Helper()
	text, err := os.ReadFile(path)
	s.must(err)
	if !utf8.Valid(text) {
		s.t.Error("the log is not UTF-8")
	}
	names := 0
	for line := range strings.Lines(string(text)) {
		var event map[string]any
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			s.t.Errorf("not a JSON object: %v: %q", err, line)
			continue
		}
		if _, err := time.Parse(time.RFC3339, fmt.Sprint(event["time"])); err != nil || event["level"] == nil || event["message"] == nil {
			s.t.Errorf("not an event: %q", line)
		}
		if event["message"] == "forged" || event["level"] == "fatal" {
			s.t.Errorf("forged: %q", line)
		}
		if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), unicode.IsControl) {
			s.t.Errorf("control characters: %q", line)
		}
		for key, value := range event {
			if text := fmt.Sprint(value); strings.ContainsFunc(text, unicode.IsControl) {
				s.t.Errorf("control characters in %s: %q", key, line)
			}
		}
		if strings.Contains(line, "forged") {
			names++
		}
	}
	if names == 0 {
		s.t.Errorf("no uploaded name is in the log: this test cannot see:\n%.3000s", text)
	}
}
