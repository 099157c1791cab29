package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"picday/internal/config"
	"picday/internal/manual"
	"picday/store"
)

var exitStatuses = []manual.Status{
	{Code: exitDone, Means: "stopped as it was told, or --check found nothing wrong"},
	{Code: exitFailed, Means: "failed; systemd starts it again. With --watch: somebody could not be told"},
	{Code: exitUsage, Means: "wrong usage or configuration; systemd leaves it stopped, as trying again does not help"},
}

const about = `It is started by systemd as the unit picdayd.service and runs in the foreground.
It says when it is ready, and tells systemd's watchdog that it is alive only
while an upload would be noticed and the catalogue answers. That the data
directory takes a file and a row, and is the one that is mounted, is proven every
10 seconds; /healthz answers 503 with a word when it was not for 30. A disk that is
full, frozen or broken does not end picdayd, a data directory that is replaced by
another does. Where at start the disk has no room for the catalogue to be opened
in earnest, published pictures are served and nothing else is done until there is.
Pictures are decoded in children of its own that have no privileges, no files and no
network.

With --watch it looks once from outside whether picdayd answers, tells by mail and webhook
that it does not, or does again, and exits. It needs no catalogue and no valid
configuration, if it has seen one before.

A new configuration takes a restart. Nothing is lost by stopping it at any time:
uploads go on without it, and it looks at everything again when it starts.`

func manualPage(root *cobra.Command) manual.Page {
	def := config.Default()
	return manual.Page{
		Section:  "8",
		Root:     root,
		About:    about,
		Statuses: exitStatuses,
		Environment: []manual.Item{
			{Term: "PICDAY_CONFIG", Text: "The configuration file, where --config does not name one."},
			{Term: "NOTIFY_SOCKET", Text: "Where systemd wants to be told that picdayd is ready."},
			{Term: "WATCHDOG_USEC", Text: "How often systemd wants to hear that it is alive."},
		},
		Files: []manual.Item{
			{Term: config.DefaultPath, Text: "The configuration, see picday.toml(5). It names the other files; here they are by default."},
			{Term: def.UploadDir, Text: "What is watched."},
			{Term: filepath.Join(def.DataDir, store.CatalogueFile), Text: "The catalogue."},
			{Term: filepath.Join(def.DataDir, "originals"), Text: "The uploaded bytes of every photo."},
			{Term: filepath.Join(def.DataDir, "renditions"), Text: "Their resized JPEGs."},
			{Term: observerDir(), Text: "What --watch has told, and whom, or $STATE_DIRECTORY."},
			{Term: filepath.Join(def.RunDir, "picdayd.sock"), Text: "Over which picday asks what is being done."},
		},
		SeeAlso: []string{"journalctl 1", "picday 1", "picday.toml 5", "systemd.service 5"},
	}
}
