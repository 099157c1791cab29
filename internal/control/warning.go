package control

// A Warning says what keeps picday from doing all of its work. In 'picday status
// --json' and in the API it is its text; the socket carries all of it.
type Warning struct {
	Kind    Kind
	Account string // that it is about, "" if about none or several
	Text    string // a sentence without a full stop
}

// A Kind is what a warning is about, where a program has to know.
type Kind string

const (
	Other Kind = "" // only the text matters
	// UploadsNotTaken: uploads wait for a reason that is not theirs, such as a full disk.
	UploadsNotTaken Kind = "uploads-not-taken"
	// VolumeAway: the upload volume is not there, or not the one that is known.
	VolumeAway Kind = "volume-away"
	// AccountAtLimit: the account has as many files, or folders, as it may.
	AccountAtLimit Kind = "account-at-limit"
	// NotWithdrawn: photos stay published although their files have been missing for
	// longer than the grace.
	NotWithdrawn Kind = "not-withdrawn"
)

// MarshalText makes the JSON of a warning its text.
func (w Warning) MarshalText() ([]byte, error) { return []byte(w.Text), nil }

// UnmarshalText reads what MarshalText writes.
func (w *Warning) UnmarshalText(text []byte) error {
	*w = Warning{Text: string(text)}
	return nil
}

// An answer is a Status on the socket: the same JSON, but for whole warnings.
type answer struct {
	Status
	Warnings []wholeWarning `json:"warnings"` // instead of those of Status
}

type wholeWarning struct {
	Kind    Kind   `json:"kind,omitempty"`
	Account string `json:"account,omitempty"`
	Text    string `json:"text"`
}

func newAnswer(s Status) answer {
	a := answer{Status: s, Warnings: []wholeWarning{}}
	for _, w := range s.Warnings {
		a.Warnings = append(a.Warnings, wholeWarning(w))
	}
	return a
}

func (a answer) status() Status {
	s := a.Status
	s.Warnings = []Warning{}
	for _, w := range a.Warnings {
		s.Warnings = append(s.Warnings, Warning(w))
	}
	return s
}
