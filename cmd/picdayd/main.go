// Command picdayd watches the upload trees and takes complete files into the catalogue. It
// runs in the foreground, without root, as a systemd service.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"picday/internal/config"
	"picday/internal/decoder"
	"picday/internal/notify"
	"picday/internal/version"
	"picday/store"
)

func main() {
	// First of all: this process may have been started by another picdayd to decode.
	if decoder.Child(os.Args) {
		os.Exit(decoder.Main())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Exit statuses.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

type usageError struct{ error }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := command(stdout, stderr)
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(stderr, "picdayd: %v\n", err)
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

func command(stdout, stderr io.Writer) *cobra.Command {
	var configFile string
	var check, page, outside bool
	var after time.Duration
	cmd := &cobra.Command{
		Use:   "picdayd",
		Short: "Take complete uploads into picday's catalogue",
		Long: `picdayd watches the upload trees of all accounts, knows by evidence when an
upload is complete, and takes it into the catalogue within seconds.

It needs no root, but CAP_DAC_READ_SEARCH and CAP_LEASE to read uploads of any
mode and to know that nobody is still writing them, and CAP_DAC_OVERRIDE to
delete badly named files. It logs JSON to stderr, or text on a terminal, and
stops on SIGTERM.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("%q: picdayd takes flags only, see 'picdayd --help'; commands are picday's", args[0])}
			}
			return nil
		},
		Version:       version.String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if page {
				_, err := stdout.Write(manualPage(cmd).Mdoc())
				return err
			}
			if outside {
				return watch(cmd.Context(), configFile, after, newLog(stderr, config.Default().LogLevel))
			}
			cfg, err := config.Load(configFile)
			if err != nil {
				return usageError{err}
			}
			if check {
				return checkOnly(cmd.Context(), cfg, stdout)
			}
			log := newLog(stderr, cfg.LogLevel)
			err = serve(cmd.Context(), cfg, log)
			if errors.Is(err, store.ErrReplaced) {
				err = standBy(cmd.Context(), cfg, err, log)
			}
			return err
		},
	}
	cmd.CompletionOptions.DisableDefaultCmd = true
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&check, "check", false, "validate the configuration and the surroundings, and exit")
	flags.BoolVar(&outside, "watch", false, "look whether picdayd runs, tell it by mail and webhook if it does not, and exit; picday-watch.timer does this each minute")
	flags.DurationVar(&after, "after", notify.DefaultAfter, "with --watch: how long it must not have run, a `DURATION`")
	flags.StringVar(&configFile, "config", "", "configuration `FILE` (default $PICDAY_CONFIG, else "+config.DefaultPath+")")
	flags.BoolP("help", "h", false, "explain picdayd")
	flags.BoolP("version", "v", false, "print the version")
	flags.BoolVar(&page, "manual", false, "print the source of the manual page")
	_ = flags.MarkHidden("manual") // for "make man"
	return cmd
}
