package main

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"picday/internal/config"
	"picday/internal/manual"
	"picday/store"
)

// manualCommand prints what "make man" installs. It is hidden: whoever looks
// for the manual types man.
func (a *app) manualCommand() *cobra.Command {
	cmd := a.command("manual PAGE", "Print the source of a manual page", cobra.ExactArgs(1), func(_ context.Context, args []string) error {
		var text []byte
		switch args[0] {
		case "picday.1":
			text = manualPage(a.root()).Mdoc()
		case "picday.toml.5":
			text = manual.Config()
		case "picday.toml":
			text = config.Sample()
		default:
			return usagef("there is no page %s: use picday.1, picday.toml.5 or picday.toml", args[0])
		}
		_, err := a.stdout.Write(text)
		return err
	})
	cmd.Hidden = true
	return cmd
}

func manualPage(root *cobra.Command) manual.Page {
	def := config.Default()
	return manual.Page{
		Section:   "1",
		Root:      root,
		About:     about,
		Arguments: arguments,
		Statuses:  exitStatuses,
		Environment: []manual.Item{
			{Term: "PICDAY_CONFIG", Text: "The configuration file, where --config does not name one."},
		},
		Files: []manual.Item{
			{Term: config.DefaultPath, Text: "The configuration, see picday.toml(5). It names the other files; here they are by default."},
			{Term: def.UploadDir, Text: "The accounts' folders, one below it for each."},
			{Term: def.SSHD.DropIn, Text: "What sshd knows of the accounts. picday owns this file: changes made by hand are lost."},
			{Term: def.SSHD.KeysDir, Text: "The accounts' public keys."},
			{Term: filepath.Join(def.DataDir, store.CatalogueFile), Text: "The catalogue. Losing it costs everything but the pictures: back it up, together with the next."},
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
