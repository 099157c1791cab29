package account

import (
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// If several Match blocks of sshd's configuration set the same keyword, the first
// one wins. So a block of the admin's that is read before picday's can undo a
// setting of the jail for some connections. Therefore all blocks are read here, and
// sshd is asked about connections that they apply to.

// A block is one Match block of sshd's configuration.
type block struct {
	file     string
	line     int
	text     string            // what follows "Match"
	criteria map[string]string // their names in lower case
	unclear  string            // why no connection can be made that it applies to; "" = one can
	first    bool              // read before picday's lines
}

func (b *block) String() string {
	return fmt.Sprintf("\"Match %s\" in %s, line %d", b.text, b.file, b.line)
}

// blocks returns all Match blocks of sshd's configuration but picday's own.
func (s *System) blocks() ([]*block, error) {
	r := blockReader{dropIn: s.Config.SSHD.DropIn}
	err := r.read(s.Config.SSHD.Config, 0)
	for _, b := range r.all[:r.before] {
		b.first = true
	}
	return r.all, err
}

type blockReader struct {
	dropIn string
	all    []*block
	inside *block // the block that the line belongs to, perhaps of an including file
	before int    // how many came before the drop-in
	seen   bool
	texts  hash.Hash // takes what was read; may be nil
}

// maxIncludes is sshd's own limit on files that include files.
const maxIncludes = 16

func (r *blockReader) read(path string, depth int) error {
	if depth > maxIncludes {
		return fmt.Errorf("%s: too many files include each other", path)
	}
	own := sameFile(path, r.dropIn)
	if own {
		r.seen, r.before = true, len(r.all)
		if r.texts == nil {
			return nil
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read sshd's configuration: %w", err)
	}
	if r.texts != nil {
		fmt.Fprintf(r.texts, "%q %d\n", path, len(text))
		_, _ = r.texts.Write(text)
	}
	if own {
		return nil
	}
	outer := r.inside
	defer func() { r.inside = outer }() // a block ends with its file
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		key, words := directive(line)
		switch key {
		case "match":
			b := newBlock(words)
			b.file, b.line = path, n
			if outer != nil {
				b.unclear = "it is in a file that another Match block includes"
			}
			r.all = append(r.all, b)
			r.inside = b
		case "include":
			for _, pattern := range words {
				if !filepath.IsAbs(pattern) {
					pattern = filepath.Join("/etc/ssh", pattern)
				}
				files, err := filepath.Glob(pattern)
				if err != nil {
					return fmt.Errorf("%s, line %d: %w", path, n, err)
				}
				for _, file := range files {
					if err := r.read(file, depth+1); err != nil && !errors.Is(err, fs.ErrNotExist) {
						return err
					}
				}
			}
		}
	}
	if depth == 0 && !r.seen {
		r.before = len(r.all) // sshd does not read the drop-in; provenRead reports that
	}
	return nil
}

func sameFile(a, b string) bool {
	fa, err := os.Stat(a)
	fb, berr := os.Stat(b)
	return a == b || err == nil && berr == nil && os.SameFile(fa, fb)
}

// directive splits a line of sshd's configuration as sshd does.
func directive(line string) (key string, words []string) {
	line = strings.Trim(line, " \t\r\n\f")
	end := strings.IndexAny(line, " \t=\"")
	if end < 0 || line[0] == '#' {
		return "", nil
	}
	key = strings.ToLower(line[:end])
	rest := strings.TrimLeft(line[end:], " \t")
	rest = strings.TrimPrefix(rest, "=")
	var word strings.Builder
	var quote rune
	begun := false
	for _, c := range rest {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, begun = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		case quote == 0 && c == '#' && !begun:
			return key, words
		default:
			word.WriteRune(c)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return key, words
}

// newBlock reads the criteria that OpenSSH 9 and 10 have.
func newBlock(words []string) *block {
	b := &block{text: strings.Join(words, " "), criteria: map[string]string{}}
	for i := 0; i < len(words); i++ {
		name, value, given := strings.Cut(words[i], "=")
		name = strings.ToLower(name)
		switch name {
		case "all":
			continue
		case "invalid-user":
			b.criteria[name] = ""
			continue
		case "user", "group", "host", "address", "localaddress", "localport", "rdomain", "version":
		default:
			b.unclear = fmt.Sprintf("picday does not know what %q means", words[i])
			return b
		}
		if !given {
			if i++; i == len(words) {
				b.unclear = fmt.Sprintf("%q is followed by nothing", words[i-1])
				return b
			}
			value = words[i]
		}
		if _, twice := b.criteria[name]; twice {
			b.unclear = fmt.Sprintf("%q is there twice", name)
			return b
		}
		b.criteria[name] = value
	}
	return b
}

// concerns tells whether the block may apply to this account.
func (b *block) concerns(account string) bool {
	if _, invalid := b.criteria["invalid-user"]; invalid {
		return false
	}
	users, given := b.criteria["user"]
	return !given || listed(account, users)
}

// listed matches a name against a list of patterns as sshd does.
func listed(name, list string) bool {
	found := false
	for pattern := range strings.SplitSeq(list, ",") {
		not := strings.HasPrefix(pattern, "!")
		if wild(strings.TrimPrefix(pattern, "!"), name) {
			if not {
				return false
			}
			found = true
		}
	}
	return found
}

// wild matches one pattern as sshd does: * is any text, ? any character.
func wild(pattern, name string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			for i := range len(name) + 1 {
				if wild(strings.TrimLeft(pattern, "*"), name[i:]) {
					return true
				}
			}
			return false
		case name == "" || pattern[0] != '?' && pattern[0] != name[0]:
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return name == ""
}
