package manual

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"picday/internal/config"
	"picday/internal/failure"
)

// Source is the source of what is installed of picday's own description under that name.
func Source(name string, root *cobra.Command) ([]byte, error) {
	switch name {
	case "picday.1":
		return Tool(root).Mdoc(), nil
	case "picday.toml.5":
		return Config(), nil
	case "picday.toml":
		return config.Sample(), nil
	}
	return nil, failure.Usagef("there is no page %s: use picday.1, picday.toml.5 or picday.toml", name)
}

// The exit statuses of picday, which scripts rely on.
const (
	ExitDone     = 0
	ExitFailed   = 1
	ExitUsage    = 2
	ExitNotFound = 3
	ExitRefused  = 4
)

// ToolStatuses says what they mean.
var ToolStatuses = []Status{
	{Code: ExitDone, Means: "done"},
	{Code: ExitFailed, Means: "failed"},
	{Code: ExitUsage, Means: "wrong usage or configuration"},
	{Code: ExitNotFound, Means: "no such account, job or photo"},
	{Code: ExitRefused, Means: "refused: it would lose or expose something"},
}

// Tool is picday's page.
func Tool(root *cobra.Command) Page {
	def := config.Default()
	return Page{
		Section:   "1",
		Root:      root,
		About:     about,
		Arguments: Arguments,
		Statuses:  ToolStatuses,
		Environment: []Item{
			{Term: "PICDAY_CONFIG", Text: "The configuration file, where --config does not name one."},
		},
		Files: []Item{
			{Term: config.DefaultPath, Text: "The configuration, see picday.toml(5). It names the other files; here they are by default."},
			{Term: def.UploadDir, Text: "The accounts' folders, one below it for each."},
			{Term: def.SSHD.DropIn, Text: "What sshd knows of the accounts. picday owns this file: changes made by hand are lost."},
			{Term: def.SSHD.KeysDir, Text: "The accounts' public keys."},
			{Term: filepath.Join(def.DataDir, "catalogue.sqlite"), Text: "The catalogue. Losing it costs everything but the pictures: back it up, together with the next."},
			{Term: filepath.Join(def.DataDir, "link.key"), Text: "What links are made with. Losing it changes all of them."},
			{Term: filepath.Join(def.DataDir, "originals"), Text: "The uploaded bytes of every photo."},
			{Term: filepath.Join(def.DataDir, "renditions"), Text: "Their resized JPEGs. They can be made again."},
		},
		SeeAlso: []string{"sftp 1", "picday.toml 5", "sshd_config 5", "nft 8", "picdayd 8"},
	}
}

const about = `What changes accounts or jobs needs root. Lists are for everybody who can read
the catalogue: root, and members of the group picday while picdayd runs.

Results go to standard output, everything else to standard error. Every list
takes --json and then prints one JSON value, with times in UTC as in RFC 3339;
the names of its fields do not change.`

// Arguments says what the capital words in usage lines of picday stand for.
var Arguments = []Item{
	{Term: "ACCOUNT", Text: "an account's name, as in 'picday account list'"},
	{Term: "ADDRESS", Text: "an e-mail address: eva@example.com"},
	{Term: "CIDR", Text: "a network such as 203.0.113.0/24 or 2001:db8::/32, or a single address"},
	{Term: "CODE|ID", Text: "what a person's card says, or the ID of the list"},
	{Term: "DATE|never", Text: "the last day of a log-in, such as 2027-07-31, or that it has none"},
	{Term: "DIR", Text: "the directory that holds a backup; of a mirror, the one for the pictures; of an import, that of the photos"},
	{Term: "EVENT", Text: "an event's id, as in 'picday events list'"},
	{Term: "FILE", Text: "a file with public keys, one in a line; of a roster, one with a list of people"},
	{Term: "FORMAT", Text: "what an export is for: pspi, powerschool, infinite-campus, destiny or flat"},
	{Term: "JOB", Text: "a job's name: the folder that the account sees"},
	{Term: "NAME", Text: "a new or known name; for an account or its log-ins 2 to 31 of a-z, 0-9 and -, a letter first"},
	{Term: "NUMBER", Text: "a proposal's number, as in 'picday proposal list'"},
	{Term: "PATH", Text: "what the uploader sees, from the root of the SFTP view: 'job00001/Class 1/x.jpg'"},
	{Term: "PATH|ID", Text: "a PATH, or the ID of a portrait"},
	{Term: "ROLE", Text: "what an operator may do: look, work or admin"},
	{Term: "SHELL", Text: "bash, zsh or fish"},
	{Term: "URL", Text: "the address of the pages and the API of an installation: https://photos.example.com"},
	{Term: "ZONE", Text: "a time zone's IANA name: Europe/Berlin, UTC"},
}
