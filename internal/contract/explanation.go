package contract

import (
	"fmt"
	"io"
	"strings"
	"time"

	"picday/internal/bytesize"
	"picday/internal/localtime"
	"picday/internal/terminal"
	"picday/store"
)

// Explanation is an element of explain --json: everything known about one path of one
// account.
type Explanation struct {
	Account string         `json:"account"`
	Path    string         `json:"path"`
	State   string         `json:"state"` // see filestate.State
	Why     []string       `json:"why"`   // sentences, the most important first
	File    *File          `json:"file,omitempty"`
	Photo   *Photo         `json:"photo,omitempty"` // published at this path, whatever the file is now
	Problem *Problem       `json:"problem,omitempty"`
	Trash   []TrashedPhoto `json:"trash"` // withdrawn photos that had this path
	History []Event        `json:"history"`
	Looks   []Look         `json:"looks"`             // the last ones of picdayd's at the file, since its start, the oldest first
	NextAt  *time.Time     `json:"next_at,omitempty"` // when it is looked at next, if nothing happens before
}

// Look is what picdayd found out about a file at one time.
type Look struct {
	At        time.Time `json:"at"`
	Bytes     int64     `json:"bytes"`
	Inode     uint64    `json:"inode"`
	ChangedAt time.Time `json:"changed_at"`
	Verdicts  []string  `json:"verdicts"`         // on each piece of evidence
	Events    int       `json:"events,omitempty"` // how many changes it stands for
}

// File is what is on the upload volume.
type File struct {
	On        string    `json:"on"` // where on the server, in shown form
	Bytes     int64     `json:"bytes"`
	ChangedAt time.Time `json:"changed_at"`
	Open      bool      `json:"open"` // for writing
}

// Event is something that happened to a photo.
type Event struct {
	At       time.Time   `json:"at"`
	Event    store.Event `json:"event"`
	Path     string      `json:"path"`
	Detail   string      `json:"detail,omitempty"`
	Operator string      `json:"operator,omitempty"`
}

// ExplanationsText writes explanations for people, with tabs between columns.
func ExplanationsText(w io.Writer, all []Explanation) {
	for i, x := range all {
		if i > 0 {
			fmt.Fprintln(w)
		}
		x.Text(w)
	}
}

// Text writes the explanation for people, with tabs between columns.
func (x Explanation) Text(w io.Writer) {
	fmt.Fprintf(w, "%s: %s\t%s\n", x.Account, terminal.Plain(x.Path), x.State)
	for _, why := range x.Why {
		fmt.Fprintf(w, "  %s\n", terminal.Plain(why))
	}
	if f := x.File; f != nil {
		fmt.Fprintf(w, "  file\t%s, %s, changed %s\n", terminal.Plain(f.On), bytesize.Format(f.Bytes), localtime.Format(f.ChangedAt))
	}
	if p := x.Photo; p != nil {
		fmt.Fprintf(w, "  link\t%s\n", p.URL)
		fmt.Fprintf(w, "  original\t%s, %d×%d, %s\n", p.SHA256, p.Width, p.Height, bytesize.Format(p.Bytes))
		if p.TakenAt != nil {
			fmt.Fprintf(w, "  taken\t%s\n", strings.Replace(p.TakenLocal, "T", " ", 1)+" "+p.TakenZone)
		}
		fmt.Fprintf(w, "  published\t%s\n", localtime.Format(p.IngestedAt))
		for _, r := range p.Renditions {
			fmt.Fprintf(w, "  rendition\t%s, %d×%d, %s\n", r.Name, r.Width, r.Height, bytesize.Format(r.Bytes))
		}
		if len(p.Flags) > 0 {
			fmt.Fprintf(w, "  flags\t%s\n", strings.Join(p.Flags, " "))
		}
	}
	for _, t := range x.Trash {
		fmt.Fprintf(w, "  in the trash\t%s, withdrawn %s, ends %s\n", t.SHA256, localtime.Format(t.WithdrawnAt), localtime.Format(t.ExpiresAt))
	}
	for _, ev := range x.History {
		line := fmt.Sprintf("%s %s", ev.Event, ev.Path)
		switch {
		case ev.Event == store.EventMoved:
			line += " from " + ev.Detail
		case ev.Detail != "":
			line += " (" + ev.Detail + ")"
		}
		if ev.Operator != "" {
			line += " by " + ev.Operator
		}
		fmt.Fprintf(w, "  %s\t%s\n", localtime.Format(ev.At), terminal.Plain(line))
	}
	x.looksText(w)
}

func (x Explanation) looksText(w io.Writer) {
	for _, k := range x.Looks {
		times := ""
		if k.Events > 1 {
			times = fmt.Sprintf(" (%d times)", k.Events)
		}
		fmt.Fprintf(w, "  look %s\t%s, inode %d, changed %s: %s%s\n", k.At.Local().Format(lookTime), bytesize.Format(k.Bytes), k.Inode,
			k.ChangedAt.Local().Format(lookTime), terminal.Plain(strings.Join(k.Verdicts, "; ")), times)
	}
	if x.NextAt != nil {
		fmt.Fprintf(w, "  next look\t%s, or when it changes\n", x.NextAt.Local().Format(lookTime))
	}
}

// lookTime has the thousandths of seconds that count between two looks.
const lookTime = "2006-01-02 15:04:05.000"

// Masked is a link as it can be passed on with a question: enough to see that two
// are the same one.
func Masked(link string) string {
	const enough = 6
	return link[:min(enough, len(link))] + "…"
}
