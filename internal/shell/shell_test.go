package shell

import (
	"os/exec"
	"strings"
	"testing"
)

func TestAShellTakesEachWordAsItIs(t *testing.T) {
	words := []string{
		"plain-1.jpg", "", " ", "Class 1/x.jpg", "it's", "''", `\`, `"`, "$HOME", "`id`", "$(id)", "a;b", "a&b", "a|b", "<x>", "*", "~", "#x",
		"!x", "{a,b}", "()\t", "ä\\n", "Grüße", "x'; touch hacked; '", "new\nline",
	}
	out, err := exec.Command("sh", "-c", Line(append([]string{"printf", `%s\0`}, words...)...)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); strings.Join(got, "\x00") != strings.Join(words, "\x00") {
		t.Errorf("%q became %q", words, got)
	}
	if line := Line("sudo", "picday", "account", "allow", "acme", "203.0.113.0/24"); line != "sudo picday account allow acme 203.0.113.0/24" {
		t.Error(line)
	}
}
