package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"picday/internal/completion"
	"picday/internal/config"
	"picday/internal/manual"
	"picday/internal/version"
	"picday/store"
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
			a.mirrorCommand(),
			a.importCommand(),
		}},
		{"People:", []*cobra.Command{
			a.rosterCommand(),
			a.missingCommand(), a.proposalCommand(),
			a.cardsCommand(),
			a.exportCommand(),
		}},
		{"Operation:", []*cobra.Command{
			a.initCommand(),
			a.statusCommand(),
			a.catalogueStatusCommand(),
			a.doctorCommand(),
			a.rescanCommand(),
			a.eventsCommand(),
			a.backupCommand(),
			a.restoreCommand(),
			a.rebuildCommand(),
			a.verifyCommand(),
			a.firewallCommand(),
			a.closeCommand(),
			a.completionCommand(),
			a.manualCommand(),
			a.helperCommand(),
			a.command("version", "Print the version", cobra.NoArgs, func(context.Context, []string) error {
				_, err := io.WriteString(a.stdout, "picday version "+version.String()+"\n")
				return err
			}),
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
	root.Version = version.String()
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.CompletionOptions.DisableDefaultCmd = true // ours has no PowerShell
	root.SetUsageFunc(manual.Help(manual.Arguments, manual.ToolStatuses))
	root.PersistentFlags().StringVar(&a.configFile, "config", "", "configuration `FILE` (default $PICDAY_CONFIG, else "+config.DefaultPath+")")
	root.PersistentFlags().BoolP("help", "h", false, "explain a command")
	root.Flags().BoolP("version", "v", false, "print the version")
	manual.Describe(root)
	completion.OfferNames(root, func(ctx context.Context) (*store.Store, error) {
		return (&app{configFile: a.configFile, stderr: io.Discard}).open(ctx)
	})
	return root
}
