package store

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"picday/internal/layout"
)

// ErrFlawed means that a row has a value that picday cannot have written. No operation
// may use such a row; the message names it.
var ErrFlawed = errors.New("the catalogue was damaged, or somebody else than picday has written into it")

func flawed(what string, id any, column, value string) error {
	return fmt.Errorf("%w: %s of %s %v is %s. Nothing was done with it. Restore the catalogue from a backup, and find out who wrote there",
		ErrFlawed, column, what, id, brief(value))
}

// linkRE is what link makes, loginRE what an operator or a token may be called: a
// word or an e-mail address. renditionRE is the configuration's rule.
var (
	linkRE      = regexp.MustCompile(`^[0-9a-f]{56}$`)
	loginRE     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$`)
	renditionRE = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
)

// ValidLogin tells whether name is valid for an operator or a token.
func ValidLogin(name string) bool { return loginRE.MatchString(name) }

// login is the name in a row as it can be put into any sentence.
func login(name string) string {
	if name == "" || ValidLogin(name) {
		return name
	}
	return brief(name)
}

// oneLine is text from a row that people are shown. layout.Shown has written it,
// and leaves nothing in it that ends a line or steers a terminal.
func oneLine(text string) string {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return layout.Shown(text)
	}
	return text
}

// validPath tells whether raw names a file below the root of an account's view.
func validPath(raw string) bool {
	if raw == "" || len(raw) > 4096 || strings.IndexByte(raw, 0) >= 0 {
		return false
	}
	for element := range strings.SplitSeq(raw, "/") {
		if element == "" || element == "." || element == ".." {
			return false
		}
	}
	return true
}

// validJobName tells whether a job can be called that. The rule on new names is
// stricter, and was laxer once.
func validJobName(name string) bool {
	return name != "" && name[0] != '.' && len(name) <= 255 && !strings.Contains(name, "/") && !strings.ContainsFunc(name, unicode.IsControl)
}

// parse empties the invalid fields of a photo, and records them for Flawed.
func (p *Photo) parse(sha []byte) {
	flaw := func(column, value string) {
		if p.flaw == nil {
			p.flaw = flawed("the photo number", p.ID, column, value)
		}
	}
	p.SHA = asSHA(sha)
	switch {
	case len(sha) != len(p.SHA):
		flaw("sha256", string(sha))
	case p.Bytes < 0:
		flaw("the size", fmt.Sprint(p.Bytes))
	}
	if !validPath(p.RawPath) {
		flaw("path", p.RawPath)
		p.RawPath = ""
	}
	if ValidName(p.Account) != nil {
		flaw("account", p.Account)
		p.Account = brief(p.Account)
	}
	if p.Job != "" && !validJobName(p.Job) {
		flaw("job", p.Job)
		p.Job = brief(p.Job)
	}
	if p.Link != "" && !linkRE.MatchString(p.Link) {
		flaw("link", p.Link)
		p.Link = ""
	}
	for _, text := range []*string{&p.Path, &p.Album, &p.Area, &p.Person, &p.File} {
		*text = oneLine(*text)
	}
	p.WithdrawnBy = login(p.WithdrawnBy)
}

// Flawed returns an ErrFlawed if the photo's row has an invalid value, else nil. Such a
// photo may be shown, but not changed.
func (p Photo) Flawed() error { return p.flaw }

// check returns an error if the row of a rendition has an invalid name, setting or size.
func (r Rendition) check(h SHA) error {
	if !renditionRE.MatchString(r.Name) || r.Longest < 1 || r.Longest > 1<<16 || r.Quality < 1 || r.Quality > 100 || r.Bytes < 0 {
		return flawed("the rendition of", h, "the name or a setting", fmt.Sprintf("%s %dq%d", r.Name, r.Longest, r.Quality))
	}
	return nil
}

// Flawed returns an ErrFlawed if the job's row has an invalid value, else nil. Such a job
// may be shown, but not changed.
func (j Job) Flawed() error { return j.flaw }

// check returns an error if the job's name cannot be that of a folder, or its state is
// none.
func (j Job) check() error {
	if !validJobName(j.Name) {
		return flawed("the job number", j.ID, "name", j.Name)
	}
	return j.State.check(j.Name)
}

func (s JobState) check(job string) error {
	switch s {
	case Planned, Activating, Active:
		return nil
	}
	return flawed("the job", brief(job), "state", string(s))
}
