package main

import (
	"context"

	"github.com/spf13/cobra"

	"picday/internal/people"
	"picday/internal/tables"
	"picday/store"
)

// withPeople finds the account, and the job of it, whose people a command is about.
func (a *app) withPeople(do func(context.Context, people.Place) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		s, acct, err := a.account(ctx, args[0])
		if err != nil {
			return err
		}
		return do(ctx, people.Of(s, acct, args[1:]...))
	}
}

// withPeopleSay is withPeople for a command that says what it did.
func (a *app) withPeopleSay(do func(context.Context, people.Place) ([]string, error)) func(context.Context, []string) error {
	return a.withPeople(func(ctx context.Context, p people.Place) error {
		return a.report(do(ctx, p))
	})
}

func (a *app) rosterCommand() *cobra.Command {
	var x people.Import
	take := a.command("import ACCOUNT [JOB] FILE", "Take a list of people, and say what it changes", cobra.RangeArgs(2, 3), func(ctx context.Context, args []string) error {
		x.File = args[len(args)-1]
		return a.withPeopleSay(x.Run)(ctx, args[:len(args)-1])
	})
	take.Flags().BoolVar(&x.Accept, "accept", false, "also if more than a tenth of the people before are missing from it")
	take.Flags().BoolVar(&x.DryRun, "dry-run", false, "take nothing, say what would change")
	show := a.list("show ACCOUNT [JOB]", "List the people of a job, or of a school with portraits", cobra.RangeArgs(1, 2), a.withPeople(func(ctx context.Context, p people.Place) error {
		all, err := p.List(ctx)
		if err != nil {
			return err
		}
		return printList(a, all, "Nobody is known. Take a list: picday roster import ACCOUNT [JOB] FILE", tables.Subjects)
	}))
	remove := a.command("remove ACCOUNT [JOB] CODE|ID", "Forget a person: name, ID, class, and who is on which photo", cobra.RangeArgs(2, 3), func(ctx context.Context, args []string) error {
		last := len(args) - 1
		return a.withPeopleSay(func(ctx context.Context, p people.Place) ([]string, error) { return p.Remove(ctx, args[last]) })(ctx, args[:last])
	})
	return a.group("roster", "Take and show lists of people", take, show, remove)
}

func (a *app) proposalCommand() *cobra.Command {
	var state string
	list := listCommand(a, "list [ACCOUNT]", "List changes of who is on photos, which wait for a person", "No proposals.", tables.Proposals, people.Proposals(&state))
	a.choice(list, &state, "state", "open", "those in this `STATE`: open, approved, rejected, undone or all", "open", "approved", "rejected", "undone", "all")
	decide := func(decision, short string) *cobra.Command {
		return a.command(decision+" NUMBER", short, cobra.ExactArgs(1), a.withStore(func(ctx context.Context, s *store.Store, args []string) error {
			return a.report(people.Decide(ctx, s, decision, args[0]))
		}))
	}
	return a.group("proposal", "Decide about changes of who is on photos", list, decide("approve", "Do what a proposal says, with new links"),
		decide("reject", "Leave the photos of a proposal whose they are"), decide("undo", "Take an approved proposal back, with new links again"))
}

func (a *app) jobCards() *cobra.Command {
	var x people.Rules
	cmd := a.list("cards ACCOUNT JOB", "Show or change how a job deals with cards", cobra.ExactArgs(2), a.withPeople(func(ctx context.Context, p people.Place) error {
		rules, err := x.Run(ctx, p)
		if err != nil {
			return err
		}
		return a.print(rules, rules.Text)
	}))
	cmd.Flags().StringVar(&x.Card, "card", "", "`WHERE` a card is taken: before or after its subject's photos")
	cmd.Flags().StringVar(&x.Unknown, "unknown", "", "`WHAT` becomes of a code that nobody has: take makes an unnamed person, refuse leaves the photos to nobody")
	cmd.Flags().StringVar(&x.Quiet, "quiet", "", "after this `TIME` without an upload into an album, who is on its photos changes by approval only")
	return cmd
}

func (a *app) missingCommand() *cobra.Command {
	var csv bool
	cmd := a.list("missing ACCOUNT [JOB]", "List the people who have no photo", cobra.RangeArgs(1, 2), a.withPeople(func(ctx context.Context, p people.Place) error {
		all, err := p.Missing(ctx)
		if err != nil {
			return err
		}
		if csv {
			return people.WriteCSV(a.stdout, all)
		}
		a.say(people.PerClass(all)...)
		return printList(a, all, "Nobody is missing.", tables.Missing)
	}))
	cmd.Flags().BoolVar(&csv, "csv", false, "print a table for spreadsheets")
	return cmd
}

func (a *app) cardsCommand() *cobra.Command {
	var x people.Cards
	cmd := a.command("cards ACCOUNT [JOB]", "Print cards with QR codes, to be photographed before their subjects", cobra.RangeArgs(1, 2), a.withPeopleSay(x.Run))
	cmd.Flags().StringVarP(&x.File, "output", "o", "cards.pdf", "`FILE` to write, .pdf or .html")
	cmd.Flags().BoolVar(&x.Missing, "missing", false, "only of those who have no photo")
	cmd.Flags().IntVar(&x.PerSheet, "per-sheet", 4, "print `N` cards on a sheet: 1, 2, 4, 6 or 8")
	cmd.Flags().IntVar(&x.Spare, "spare", 0, "make `N` new cards for nobody yet, and print these alone")
	return cmd
}

func (a *app) exportCommand() *cobra.Command {
	var x people.Export
	cmd := a.command("export FORMAT ACCOUNT [JOB]", "Write everybody's picture for a yearbook, a student system or a till", cobra.RangeArgs(2, 3), func(ctx context.Context, args []string) error {
		x.Format = args[0]
		return a.withPeopleSay(x.Run)(ctx, args[1:])
	})
	cmd.Flags().StringVarP(&x.To, "output", "o", "", "`FILE` to write, a .zip; of pspi the directory of the volume")
	cmd.Flags().StringVar(&x.Size, "size", "", "flat: `SIZE` in pixels such as 480x600, which is the default")
	cmd.Flags().IntVar(&x.KB, "kilobytes", 0, "flat: at most `N` kilobytes a picture; 0 = any number")
	cmd.Flags().Float64Var(&x.Top, "top", people.RuleOfPlace, "of what is cut off the height, `N` per cent are cut off above; else as the pages say, or 25")
	cmd.Flags().BoolVar(&x.DryRun, "dry-run", false, "write nothing, say who would be left out")
	return cmd
}
