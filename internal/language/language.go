// Package language has the languages of pages and connection cards. The key of a text is
// its English; the German is in de/*.toml. JSON, the API and the tool stay English.
package language

import (
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"
)

// A Language is named as in <html lang>.
type Language string

// The languages.
const (
	English Language = "en"
	German  Language = "de"
)

// A Choice is a language with its own name for itself.
type Choice struct {
	Language Language
	Name     string
}

// All are the languages.
var All = []Choice{{English, "English"}, {German, "Deutsch"}}

// Known tells whether there is such a language.
func Known(name string) bool { return name == string(English) || name == string(German) }

var matcher = sync.OnceValue(func() language.Matcher {
	return language.NewMatcher([]language.Tag{language.English, language.German})
})

// Preferred is the best one for a header Accept-Language, other if it names neither.
func Preferred(header string, other Language) Language {
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(tags) == 0 {
		return other
	}
	_, i, confidence := matcher().Match(tags...)
	if confidence == language.No {
		return other
	}
	return All[i].Language
}

//go:embed de/*.toml
var files embed.FS

// A text is a line of a file: the German, or with a number both forms and the English for 1.
type text struct {
	German, One, Other, English string
	spoken                      bool // in sentences.toml
}

// texts are all texts by key. They are read when a page first needs one: most processes of
// picdayd decode pictures and write no page.
var texts = sync.OnceValue(read)

func read() map[string]text {
	all := map[string]text{}
	for _, name := range must(fs.Glob(files, "de/*.toml")) {
		var file map[string]any
		if err := toml.Unmarshal(must(files.ReadFile(name)), &file); err != nil {
			panic(fmt.Sprintf("%s: %v", name, err))
		}
		for key, value := range file {
			var t text
			switch value := value.(type) {
			case string:
				t.German = value
			case map[string]any:
				form := func(name string) string { s, _ := value[name].(string); return s }
				t = text{One: form("one"), Other: form("other"), English: form("english")}
			}
			t.spoken = strings.HasSuffix(name, "/sentences.toml")
			if before, twice := all[key]; twice && before != t {
				panic(fmt.Sprintf("%s: %q has another translation in another file: give one of the two another English", name, key))
			}
			all[key] = t
		}
	}
	return all
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// printers write the texts in each language.
var printers = sync.OnceValue(func() map[Language]*message.Printer {
	b := catalog.NewBuilder(catalog.Fallback(language.English))
	set := func(tag language.Tag, key string, m ...catalog.Message) {
		if err := b.Set(tag, key, m...); err != nil {
			panic(fmt.Sprintf("%q: %v", key, err))
		}
	}
	for key, t := range texts() {
		if t.Other == "" {
			set(language.German, key, catalog.String(t.German))
			continue
		}
		at := numberIn(key)
		set(language.German, key, plural.Selectf(at, "%d", plural.One, t.One, plural.Other, t.Other))
		set(language.English, key, plural.Selectf(at, "%d", plural.One, t.English, plural.Other, key))
	}
	return map[Language]*message.Printer{
		English: message.NewPrinter(language.English, message.Catalog(b)),
		German:  message.NewPrinter(language.German, message.Catalog(b)),
	}
})

var verb = regexp.MustCompile(`%(\[\d+\])?[a-z]`)

// numberIn is which argument of a text is the number that its form depends on: the first %d.
func numberIn(key string) int {
	return 1 + slices.IndexFunc(verb.FindAllString(key, -1), func(v string) bool { return strings.HasSuffix(v, "d") })
}

// A Words writes in one language.
type Words struct {
	Language Language
	// mark is put around every text, so that a test sees which ones there are.
	mark [2]string
}

var all = map[Language]*Words{English: {Language: English}, German: {Language: German}}

func (w *Words) printer() *message.Printer { return printers()[w.Language] }

// In gives the words of a language; of one that there is not, the English ones.
func In(l Language) *Words {
	if w := all[l]; w != nil {
		return w
	}
	return all[English]
}

// Marked gives words that put marks around every text, for tests.
func Marked(l Language, before, after string) *Words {
	w := *In(l)
	w.mark = [2]string{before, after}
	return &w
}

// T writes the text whose English is key. Verbs are those of fmt; %d writes thousands as
// the language does, and chooses between "1 photo" and "2 photos".
func (w *Words) T(key string, args ...any) string {
	return w.mark[0] + w.printer().Sprintf(key, args...) + w.mark[1]
}

// HTML is T for a text with tags in it. What of its arguments is no template.HTML is escaped.
func (w *Words) HTML(key string, args ...any) template.HTML {
	safe := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case template.HTML:
			safe[i] = string(arg)
		case int, int64:
			safe[i] = arg
		default:
			safe[i] = template.HTMLEscapeString(fmt.Sprint(arg))
		}
	}
	return template.HTML(w.T(key, safe...)) //nolint:gosec // the text is our own, and arguments are escaped
}

// A Message is a text that is written in a language later.
type Message struct {
	Key  string
	Args []any
}

// M makes a Message.
func M(key string, args ...any) Message { return Message{key, args} }

func (m Message) String() string { return In(English).Say(m) }

// Say writes a message.
func (w *Words) Say(m Message) string {
	if len(m.Args) == 0 {
		return w.Sentence(m.Key)
	}
	return w.T(m.Key, m.Args...)
}

// Sentences are the keys of sentences.toml.
func Sentences() (keys []string) {
	for key, t := range texts() {
		if t.spoken {
			keys = append(keys, key)
		}
	}
	return keys
}

// Has tells whether a text has its German.
func Has(key string) bool { return texts()[key].German != "" || texts()[key].One != "" }

// Plural tells whether a text has a form for 1, in both languages.
func Plural(key string) bool {
	return texts()[key].One != "" && texts()[key].Other != "" && texts()[key].English != ""
}

// Forms are what a program in the browser needs of a text: those for 1 and for others, or
// only the second.
func (w *Words) Forms(key string) (one, other string) {
	t := texts()[key]
	switch {
	case w.Language == German && t.Other != "":
		return t.One, t.Other
	case w.Language == German && t.German != "":
		return "", t.German
	}
	return t.English, key
}

// A pattern recognises a text that was written in English already.
type pattern struct {
	key, german string
	exact       *regexp.Regexp
}

// patterns are the texts of sentences.toml with arguments, the most definite ones first.
var patterns = sync.OnceValue(func() (all []pattern) {
	add := func(english, german string) {
		if !verb.MatchString(english) {
			return
		}
		exact := verb.ReplaceAllStringFunc(regexp.QuoteMeta(english), func(v string) string {
			if v == "%d" {
				return `([\d,]+)`
			}
			return "(.+?)"
		})
		all = append(all, pattern{english, german, regexp.MustCompile("(?s)^" + exact + "$")})
	}
	for key, t := range texts() {
		if t.spoken {
			add(key, t.German+t.Other)
			add(t.English, t.One)
		}
	}
	slices.SortFunc(all, func(a, b pattern) int { return cmp.Or(len(b.key)-len(a.key), strings.Compare(a.key, b.key)) })
	return all
})

// Sentence writes in the language what comes as a finished English sentence: warnings of
// picdayd's status, refusals of root's helper. One that is not known stays as it is.
func (w *Words) Sentence(english string) string {
	german, known := texts()[english].German, true
	switch {
	case english == "":
		return ""
	case w.Language == English:
		german = english
	case german == "":
		german, known = w.recognise(english)
	}
	if !known {
		return english
	}
	return w.mark[0] + german + w.mark[1]
}

// recognise is for the texts of sentences.toml only.
func (w *Words) recognise(english string) (german string, known bool) {
	if t := texts()[english]; t.spoken && t.German != "" {
		return t.German, true
	}
	for _, p := range patterns() {
		if found := p.exact.FindStringSubmatch(english); found != nil {
			return w.fill(p.german, found[1:]), true
		}
	}
	return english, false
}

// fill puts arguments that are written already into a text. One may be a sentence itself.
func (w *Words) fill(text string, args []string) string {
	next := 0
	return verb.ReplaceAllStringFunc(text, func(v string) string {
		i := next
		next++
		if strings.HasPrefix(v, "%[") {
			_, _ = fmt.Sscanf(v, "%%[%d]", &i)
			i--
		}
		if i < 0 || i >= len(args) {
			return v
		}
		if strings.HasSuffix(v, "d") {
			return strings.ReplaceAll(args[i], ",", ".")
		}
		arg, _ := w.recognise(args[i])
		return arg
	})
}
