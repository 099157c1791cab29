package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"time"
)

// ChildError is what a child said that failed.
type ChildError struct {
	Code int    // its exit status
	Text string // from standard error
}

func (e *ChildError) Error() string { return e.Text }

// catalogueWithin is how long a child may take to read the catalogue.
const catalogueWithin = 4 * time.Second

// AskCatalogue runs a picday that prints as JSON what the catalogue in dataDir says of the
// status. That it does not answer is a status with a warning.
func AskCatalogue(ctx context.Context, dataDir, program string, args ...string) (Status, error) {
	return askCatalogue(ctx, catalogueWithin, dataDir, program, args...)
}

func askCatalogue(ctx context.Context, within time.Duration, dataDir, program string, args ...string) (Status, error) {
	st, err := askChild(ctx, within, program, args...)
	var failed *ChildError
	switch {
	case errors.Is(err, errLate):
		st = NewStatus()
		st.Warn("the catalogue does not answer: is the disk of " + dataDir + " frozen, or failing? 'dmesg' may say more")
		return st, nil
	case errors.As(err, &failed):
		failed.Text = strings.TrimPrefix(failed.Text, "picday: ")
	}
	return st, err
}

// errLate is returned for a child that does not answer in time.
var errLate = errors.New("the child does not answer")

// askChild runs a program that prints a status as JSON. It is for reading from a
// disk that may be frozen: a process that waits for one cannot be ended, not
// even by a signal, but a child can be left behind.
func askChild(ctx context.Context, within time.Duration, program string, args ...string) (st Status, err error) {
	var out, complaint bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Start(); err != nil {
		return st, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case err = <-done:
	case <-late.C:
		_ = cmd.Process.Kill()
		return st, errLate
	case <-ctx.Done():
		_ = cmd.Process.Kill()
		return st, ctx.Err()
	}
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return st, &ChildError{failed.ExitCode(), strings.TrimSpace(complaint.String())}
	}
	if err == nil {
		err = json.Unmarshal(out.Bytes(), &st)
	}
	return st, err
}
