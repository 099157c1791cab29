package notify

import (
	"cmp"
	"encoding/json"
	"strings"

	"picday/internal/language"
	"picday/store"
)

// A mailbox is where an operator reads notices, and in which language.
type mailbox struct {
	address  string
	language language.Language
}

// languageOf is the installation's where neither the operator nor the account has one.
func (n *Notifier) languageOf(chosen language.Language) language.Language {
	return cmp.Or(chosen, language.Language(n.Config.Language))
}

// said writes a notice for people. Its English is in the catalogue already, and goes to
// programs; other languages are made of its data.
func said(w *language.Words, n store.Notice) string {
	if w.Language != language.English {
		if text := fromData(w, n); text != "" {
			return text
		}
	}
	return n.Message
}

// fromData is "" for a kind, or data, of another release.
func fromData(w *language.Words, n store.Notice) string {
	switch n.Kind {
	case UploadQuiet:
		if d, ok := dataOf[Quiet](n); ok {
			return quietText(w, n.Account, d)
		}
	case ProblemsOld:
		if d, ok := dataOf[Old](n); ok {
			count := w.T("%d problems", d.Problems)
			if d.Problems >= manyProblems {
				count = w.T("%d problems or more", manyProblems)
			}
			return w.T("%s of %s are still there, the oldest since %s", count, n.Account, w.Date(d.Oldest))
		}
	case WaitingLong:
		if d, ok := dataOf[Stuck](n); ok {
			return w.T("%s of %s have waited since %s, and none was taken in: look at picday status", w.T("%d files", d.Files), n.Account, w.Stamp(d.Since))
		}
	case WaitingOver:
		return w.T("files of %s are taken in again", n.Account)
	case DiskLow, DiskEnough:
		if d, ok := dataOf[Room](n); ok {
			return roomText(w, n.Kind, d)
		}
	case DaemonUnproven:
		if d, ok := dataOf[Unproven](n); ok {
			return unprovenText(w, d)
		}
	case DaemonProven:
		return w.T("picdayd on %s is proven to work again", hostName())
	case Test:
		if strings.HasPrefix(n.Message, testMessage) {
			return w.T("this is a test from picday on %s", hostName())
		}
	}
	return ""
}

// dataOf reads a notice's data. Of another release they may be something else.
func dataOf[T any](n store.Notice) (data T, ok bool) {
	return data, json.Unmarshal(n.Data, &data) == nil
}

func quietText(w *language.Words, account string, d Quiet) string {
	what := account
	if d.Job != "" {
		what = w.T("%s of %s", d.Job, account)
	}
	parts := []string{w.T("%d photos", d.Photos), w.T("%d problems", d.Problems)}
	if d.Replaced > 0 {
		parts = append(parts, w.T("%d photos replaced", d.Replaced))
	}
	if d.Waiting > 0 {
		parts = append(parts, w.T("%d files of the account still arrive or wait", d.Waiting))
	}
	return w.T("%s is quiet: %s", what, strings.Join(parts, ", "))
}

func roomText(w *language.Words, kind string, d Room) string {
	what := w.Sentence(map[string]string{"uploads": "Uploads", "photos": "Photos and catalogue"}[d.Disk])
	if what == "" {
		what = d.Disk
	}
	if kind == DiskLow {
		return w.T("disk (%s, %s): %s free, less than %s", what, d.Dir, w.Size(d.Free), w.Size(d.Floor))
	}
	return w.T("disk (%s, %s): %s free, again more than %s", what, d.Dir, w.Size(d.Free), w.Size(d.Floor))
}

func unprovenText(w *language.Words, d Unproven) string {
	if d.Until != nil {
		return w.T("picdayd on %s did not run from %s until %s, and took nothing in", hostName(), w.Stamp(d.Since), w.Stamp(*d.Until))
	}
	return w.T("picdayd on %s has not been proven to work since %s: %s", hostName(), w.Stamp(d.Since), w.Sentence(d.Why))
}
