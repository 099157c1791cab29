package contract

import (
	"fmt"
	"io"

	"picday/internal/bytesize"
	"picday/internal/terminal"
)

// Verification is verify --json.
type Verification struct {
	Originals   int          `json:"originals"`
	Renditions  int          `json:"renditions"`
	Bytes       int64        `json:"bytes"` // read
	Uploads     int          `json:"uploads"`
	Waiting     int          `json:"waiting"` // uploads that picdayd has not taken yet: no difference
	Repaired    int          `json:"repaired"`
	Differences []Difference `json:"differences"`
}

// Text writes for people what was compared.
func (v Verification) Text(w io.Writer) {
	fmt.Fprintf(w, "%d originals (%s), %d renditions and %d uploads compared, %d uploads waiting\n", v.Originals, bytesize.Format(v.Bytes), v.Renditions, v.Uploads, v.Waiting)
}

// Difference is one thing that is not as the catalogue says.
type Difference struct {
	Kind    string `json:"kind"` // catalogue, volume, original, rendition, upload, folder, no-file, double, link, orphan
	Account string `json:"account,omitempty"`
	Path    string `json:"path,omitempty"` // as the uploader sees it
	File    string `json:"file,omitempty"` // on the server
	Message string `json:"message"`
	Fix     string `json:"fix"`
}

// Text is the difference in one line.
func (d Difference) Text() string {
	where := d.File
	if d.Path != "" {
		where = d.Account + ": " + d.Path
	}
	if where != "" {
		where += ": "
	}
	return terminal.Plain(d.Kind + ": " + where + d.Message + ". " + d.Fix)
}
