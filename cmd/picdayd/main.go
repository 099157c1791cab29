// Command picdayd watches the upload trees and takes what is complete into
// the catalogue. It runs in the foreground without root; systemd keeps it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"picday/decoder"
	"picday/internal/config"
	"picday/internal/version"
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

// Exit statuses of the contract.
const (
	exitFailed = 1
	exitUsage  = 2
)

type usageError struct{ error }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var configFile string
	var check bool
	cmd := &cobra.Command{
		Use:   "picdayd",
		Short: "Take complete uploads into the picday catalogue",
		Long: `picdayd watches the upload trees of all accounts, knows by evidence when an
upload is complete, and takes it into the catalogue within seconds.

It needs no root, but CAP_DAC_READ_SEARCH and CAP_LEASE to read uploads of any
mode and to know that nobody is still writing them, and CAP_DAC_OVERRIDE to
delete badly named files. It logs JSON to stderr, or text on a terminal, and
stops on SIGTERM.`,
		Args:          cobra.NoArgs,
		Version:       version.String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(configFile)
			if err != nil {
				return usageError{err}
			}
			if check {
				return checkOnly(cmd.Context(), cfg, stdout)
			}
			return serve(cmd.Context(), cfg, newLog(stderr, cfg.LogLevel))
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	cmd.Flags().StringVar(&configFile, "config", "", "configuration `FILE` (default $PICDAY_CONFIG, else "+config.DefaultPath+")")
	cmd.Flags().BoolVar(&check, "check", false, "validate the configuration and the surroundings, and exit")
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "picdayd: %v\n", err)
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}
