package language

import (
	"html/template"
	"testing"
	"time"
)

// TestPreferred: the language of a browser, or else the installation's.
func TestPreferred(t *testing.T) {
	for header, want := range map[string]Language{
		"": "other", "de": German, "de-AT,de;q=0.9,en;q=0.8": German, "en-US,en;q=0.9,de;q=0.8": English, "fr,de;q=0.5": German, "fr": "other", "*": "other",
		"x;;;": "other", "de;q=0, en": English,
	} {
		if got := Preferred(header, "other"); got != want {
			t.Errorf("%q: %s, not %s", header, got, want)
		}
	}
}

// TestWords: numbers, plurals, sizes and times are the language's, arguments are escaped.
func TestWords(t *testing.T) {
	de, en := In(German), In(English)
	at := time.Date(2026, 11, 29, 14, 5, 0, 0, time.Local)
	for _, c := range []struct{ got, want string }{
		{de.T("%d days ago", 1), "vor 1 Tag"},
		{de.T("%d days ago", 2), "vor 2 Tagen"},
		{en.T("%d days ago", 1), "1 day ago"},
		{en.T("%d days ago", 1204), "1,204 days ago"},
		{de.T("%d days ago", 0), "vor 0 Tagen"},
		{de.T("not there"), "not there"},
		{de.Number(1204331), "1.204.331"},
		{en.Number(1204331), "1,204,331"},
		{en.Number(-100), "-100"},
		{de.Number(999), "999"},
		{de.Size(5200000), "5,2 MB"},
		{en.Size(5200000), "5.2 MB"},
		{de.Size(12), "12 Byte"},
		{de.Date(at), "29.11.2026"},
		{de.Stamp(at)[:16], "29.11.2026 14:05"},
		{de.Day(at), "Sonntag, 29. November 2026"},
		{en.Day(at), "Sunday, 29 November 2026"},
		{de.Span(50*time.Hour, "–"), "2 Tage"},
		{de.Span(0, "–"), "–"},
		{en.Span(90*time.Second, "–"), "1 minute"},
		{string(en.HTML("<b>%s</b>%s", "<i>", template.HTML("<i>"))), "<b>&lt;i&gt;</b><i>"},
		{de.Sentence("1,204 photos, size web"), "1.204 Fotos, Größe web"},
		{de.Sentence("1 photo, size web"), "1 Foto, Größe web"},
		{de.Sentence("found today"), "found today"},
		{de.Sentence("the account closed is at a limit: it holds 7 files, and new ones wait. Have some deleted, or raise max_files in picday.toml and restart picdayd"), "Das Konto closed ist an einer Grenze: Es enthält 7 Dateien, und neue warten. Lassen Sie welche löschen, oder heben Sie max_files in picday.toml an und starten Sie picdayd neu"},
		{de.Sentence("Nothing was changed: a/b.jpg is being uploaded. Try again when the upload is through."), "Nichts wurde geändert: a/b.jpg wird gerade hochgeladen. Versuchen Sie es noch einmal, wenn das Hochladen fertig ist."},
		{de.Sentence("Nothing was changed: 1 file of the job could not become a photo."), "Nichts wurde geändert: 1 Datei des Auftrags konnte kein Foto werden."},
		{de.Sentence("Nobody knows 100% of this."), "Nobody knows 100% of this."},
		{In("fr").T("just now"), "just now"},
		{de.Say(M("Log in first.")), "Melden Sie sich zuerst an."},
		{M("%s is 5%%", "x").String(), "x is 5%"},
	} {
		if c.got != c.want {
			t.Errorf("%q, not %q", c.got, c.want)
		}
	}
}

// TestEveryTranslationHasTheVerbsOfItsKey: no argument is lost, and none is written twice.
func TestEveryTranslationHasTheVerbsOfItsKey(t *testing.T) {
	for key, text := range texts() {
		n := len(verb.FindAllString(key, -1))
		for _, form := range []string{text.German, text.One, text.Other, text.English} {
			if form == "" {
				continue
			}
			if got := len(verb.FindAllString(form, -1)); got != n && (form != text.One && form != text.English) {
				t.Errorf("%q has %d verbs, %q has %d", key, n, form, got)
			}
		}
	}
}
