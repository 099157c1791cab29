package main

import (
	"github.com/spf13/cobra"

	"picday/internal/config"
	"picday/internal/version"
)

// root is all commands, by what they are for, in the order of use.
func (a *app) root() *cobra.Command {
	cobra.EnableCommandSorting = false // the order of use, not of the alphabet
	root := a.group("picday", "Photo intake over SFTP, for studios and schools")
	for _, group := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Accounts and jobs:", []*cobra.Command{
			a.accountCommand(),
			a.jobCommand(),
		}},
		{"Photos:", []*cobra.Command{
			a.photosCommand(),
			a.photoCommand(),
			a.problemsCommand(),
			a.explainCommand(),
			a.linkCommand(),
			a.trashCommand(),
		}},
		{"Operation:", []*cobra.Command{
			a.initCommand(),
			a.statusCommand(),
			a.catalogueStatusCommand(),
			a.doctorCommand(),
			a.rescanCommand(),
			a.backupCommand(),
			a.restoreCommand(),
			a.verifyCommand(),
			a.firewallCommand(),
			a.closeCommand(),
			a.completionCommand(),
			a.manualCommand(),
		}},
		{"Administration pages and API:", []*cobra.Command{
			a.operatorCommand(),
			a.tokenCommand(),
		}},
	} {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, cmd := range group.commands {
			cmd.GroupID = group.title
			root.AddCommand(cmd)
		}
	}
	root.Long = `picday turns this machine's OpenSSH into a photo intake: it makes the locked-down
SFTP accounts, and shows what the daemon picdayd has taken in from them.`
	root.Example = `  picday init                                 # once, on a new machine
  picday account add acme --layout jobs       # a studio: prints what to tell it
  picday job add acme job00001                # a folder to upload into
  picday photos acme --job job00001           # what has come in
  picday problems                             # what cannot become a photo, and why`
	root.Version = version.String()
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.CompletionOptions.DisableDefaultCmd = true // ours has no PowerShell
	root.SetUsageFunc(usage)
	root.PersistentFlags().StringVar(&a.configFile, "config", "", "configuration `FILE` (default $PICDAY_CONFIG, else "+config.DefaultPath+")")
	root.PersistentFlags().BoolP("help", "h", false, "explain a command")
	root.Flags().BoolP("version", "v", false, "print the version")
	a.explain(root)
	a.offerNames(root)
	return root
}
