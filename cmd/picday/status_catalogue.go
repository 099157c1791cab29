package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"picday/internal/control"
)

// catalogueStatus is the hidden command that askCatalogue runs.
const catalogueStatus = "catalogue-status"

// catalogueWithin is how long status waits for what the catalogue says.
const catalogueWithin = 4 * time.Second

// A relayed error is what a child said, with its exit status.
type relayed struct {
	code    int
	message string
}

func (r relayed) Error() string { return r.message }

// askCatalogue has a child look, for without the daemon the catalogue is all there
// is. Whoever touches a disk that is frozen cannot be ended, not even by a signal;
// a child can be left behind.
func (a *app) askCatalogue(ctx context.Context) (st control.Status, err error) {
	args := []string{catalogueStatus}
	if a.configFile != "" {
		args = append(args, "--config", a.configFile)
	}
	var out, complaint bytes.Buffer
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Start(); err != nil {
		return st, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	late := time.NewTimer(catalogueWithin)
	defer late.Stop()
	select {
	case err = <-done:
	case <-late.C:
		_ = cmd.Process.Kill()
		st = nothingKnown()
		st.Warnings = append(st.Warnings, "the catalogue does not answer: is the disk of "+a.cfg.DataDir+" frozen, or failing? 'dmesg' may say more")
		return st, nil
	case <-ctx.Done():
		_ = cmd.Process.Kill()
		return st, ctx.Err()
	}
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return st, relayed{failed.ExitCode(), strings.TrimPrefix(strings.TrimSpace(complaint.String()), "picday: ")}
	}
	if err == nil {
		err = json.Unmarshal(out.Bytes(), &st)
	}
	return st, err
}

func nothingKnown() control.Status {
	return control.Status{InProgress: []control.Progress{}, Uploading: []control.Progress{}, Unsure: []control.Unsure{}, PolledDirs: []string{}, Warnings: []string{}}
}

// catalogueStatusCommand prints what can be said without the daemon.
func (a *app) catalogueStatusCommand() *cobra.Command {
	cmd := a.command(catalogueStatus, "Print what the catalogue says of the status, as JSON", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		return a.catalogueStatus(ctx)
	})
	cmd.Hidden = true
	return cmd
}

func (a *app) catalogueStatus(ctx context.Context) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	counts, err := s.Counts(ctx)
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	st := nothingKnown()
	st.Photos, st.Unusual, st.Problems = counts.Photos, counts.Unusual, counts.Problems
	if err := s.CheckVolume(ctx, a.cfg.UploadDir); err != nil {
		st.Warnings = append(st.Warnings, err.Error())
	}
	a.json = true
	return a.print(st, nil)
}
