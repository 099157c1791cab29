package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"picday/internal/test/bed"
)

// shells ask picday's own script for the words that could come next, as Tab
// does, and print each on a line. $@ is the line so far; its last word may be
// empty.
var shells = []struct{ program, debian, script string }{
	{"bash", "bash-completion", `
		. /usr/share/bash-completion/bash_completion
		. <(picday completion bash)
		compopt() { :; } # there is no Tab to answer
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
		COMP_TYPE=63
		__start_picday
		printf '%s\n' "${COMPREPLY[@]}"`},
	{"zsh", "zsh", `
		compdef() { :; }
		. <(picday completion zsh)
		_describe() { for c in "${completions[@]}"; do [[ $c != "${words[CURRENT]}"* ]] || echo "$c"; done; }
		_files() { echo FILES; }
		_arguments() { echo FILES; }
		words=("$@"); CURRENT=$#
		_picday`},
	{"fish", "fish", `
		picday completion fish | source
		complete -C "$argv"`},
}

// completions is what a shell offers, without descriptions.
func (s *site) completions(shell int, user string, line ...string) (words []string, complaints string) {
	s.t.Helper()
	c := shells[shell]
	bed.Need(s.t, c.program, c.debian)
	picday, home := s.PicdayCmd(), s.Dir+"/home-of-"+user
	s.must(os.MkdirAll(home, 0o700))
	s.must(os.Chmod(home, 0o777))
	args := append([]string{"-c", c.script, "shell"}, line...)
	if c.program == "fish" {
		args = slices.Delete(args, 2, 3) // there is no $0
	}
	cmd := exec.Command(c.program, args...)
	var out, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &stderr
	cmd.Dir = s.Dir
	cmd.Env = []string{"PATH=" + filepath.Dir(picday.Path) + ":" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8", "PICDAY_CONFIG=" + s.Config}
	if user != "" {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.Credential(user)}
	}
	s.must(cmd.Run())
	for line := range strings.Lines(out.String()) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if c.program == "zsh" {
			word, _, _ = strings.Cut(word, ":")
		}
		if word, _, _ = strings.Cut(word, "  ("); word != "" {
			words = append(words, strings.TrimSpace(word))
		}
	}
	slices.Sort(words)
	return words, stderr.String()
}

func TestShellsCompleteNames(t *testing.T) {
	s := newQuietSite(t)
	one, two := s.jobs("comp", "job1", "job2"), s.portraits("compschool")
	s.MustPicday("job", "activate", one.Name, "job2")
	nosy := s.AddUnixUser("nosy")
	for i, shell := range shells {
		offers := func(want []string, line ...string) {
			t.Helper()
			got, complaints := s.completions(i, "", line...)
			// Nothing is offered when the catalogue takes more than a second.
			for until := time.Now().Add(bed.Limit); len(got) == 0 && len(want) > 0 && time.Now().Before(until); {
				got, complaints = s.completions(i, "", line...)
			}
			if slices.Sort(want); !slices.Equal(got, want) || complaints != "" {
				t.Errorf("%s, picday %v: %q, want %q\n%s", shell.program, line[1:], got, want, complaints)
			}
		}
		offers([]string{one.Name, two.Name}, "picday", "account", "show", "")
		offers([]string{two.Name}, "picday", "account", "show", two.Name[:5])
		offers([]string{one.Name, two.Name}, "picday", "photos", "")
		offers([]string{"job1", "job2"}, "picday", "job", "activate", one.Name, "")
		offers([]string{"job1", "job2"}, "picday", "photos", one.Name, "--job", "")
		offers([]string{"jobs", "portraits"}, "picday", "account", "add", "x", "--layout", "")
		offers([]string{"bash", "fish", "zsh"}, "picday", "completion", "")
		offers(nil, "picday", "account", "add", "")
		offers(nil, "picday", "job", "activate", two.Name, "")
		if got, _ := s.completions(i, "", "picday", ""); !slices.Contains(got, "account") || slices.Contains(got, "manual") {
			t.Errorf("%s, picday: %q", shell.program, got)
		}
		// A user who may not read the catalogue is offered only commands.
		if got, complaints := s.completions(i, nosy.User, "picday", "account", "show", ""); len(got) > 0 || complaints != "" {
			t.Errorf("%s, as %s: %q\n%s", shell.program, nosy.User, got, complaints)
		}
		if got, _ := s.completions(i, nosy.User, "picday", "account", "sh"); !slices.Equal(got, []string{"show"}) {
			t.Errorf("%s, as %s: %q", shell.program, nosy.User, got)
		}
	}
}

// Completion with a catalogue that cannot be read offers nothing, prints nothing, and does
// not hang.
func TestCompletionSurvivesASickCatalogue(t *testing.T) {
	s := newQuietSite(t)
	u := s.jobs("sick", "job1")
	config, err := os.ReadFile(s.Config)
	s.must(err)
	catalogue := s.Data + "/catalogue.sqlite"
	for _, c := range []struct {
		what   string
		spoil  func()
		rescue func()
	}{
		{"no catalogue", func() { s.must(os.Rename(catalogue, catalogue+".away")) }, func() { s.must(os.Rename(catalogue+".away", catalogue)) }},
		{
			"not a catalogue",
			func() {
				s.must(os.Rename(catalogue, catalogue+".away"))
				s.must(os.WriteFile(catalogue, []byte(strings.Repeat("nonsense", 1000)), 0o600))
			},
			func() { s.must(os.Rename(catalogue+".away", catalogue)) },
		},
		{"a wrong configuration", func() { s.must(os.WriteFile(s.Config, []byte("x = \n"), 0o644)) }, func() {}},
		// Opening a named pipe waits for ever.
		{"a configuration that hangs", func() { s.must(os.Remove(s.Config)); s.must(syscall.Mkfifo(s.Config, 0o644)) }, func() { s.must(os.Remove(s.Config)) }},
	} {
		c.spoil()
		for i, shell := range shells {
			if got, complaints := s.completions(i, "", "picday", "job", "list", ""); len(got) > 0 || complaints != "" {
				t.Errorf("%s, %s: %q\n%s", c.what, shell.program, got, complaints)
			}
		}
		c.rescue()
		s.must(os.WriteFile(s.Config, config, 0o644))
	}
	if got, complaints := s.completions(0, "", "picday", "job", "list", ""); !slices.Equal(got, []string{u.Name}) {
		t.Errorf("well again: %q\n%s", got, complaints)
	}
}
