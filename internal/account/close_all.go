package account

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"picday/store"
)

// closedFile exists from Close to Reopen. It holds the upload and the data
// directory, a line each, for scripts that clean up after picday was removed.
func (s *System) closedFile() string {
	return filepath.Join(filepath.Dir(s.Config.SSHD.KeysDir), ".closed")
}

// Close keeps every account out and then takes the drop-in away, so that
// picday can leave the machine: without the drop-in sshd would jail nobody.
// Every Unix user that picday made is closed, whatever the catalogue says.
func (s *System) Close(ctx context.Context) (report []string, err error) {
	release, err := s.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	names, err := OwnUsers()
	if err != nil {
		return nil, err
	}
	logins, err := loginUsers("")
	if err != nil {
		return nil, err
	}
	if err := s.onlyOurs(); err != nil {
		return nil, err
	}
	note := s.Config.UploadDir + "\n" + s.Config.DataDir + "\n"
	steps := []step{fileStep("noted in "+s.closedFile()+" that the accounts are closed", s.closedFile(), []byte(note), 0o644)}
	for _, u := range logins { // before the accounts, see closeAllSteps
		steps = append(steps, s.closeSteps(u.name)...)
	}
	for _, name := range names {
		steps = append(steps, s.closeSteps(name)...)
	}
	return s.apply(ctx, append(steps, s.dropInGoneStep(), s.formerStep()))
}

// Reopen lets the accounts in again that Close closed and the catalogue has
// enabled. Without an earlier Close it does nothing: an admin may have closed
// a Unix user by other means.
func (s *System) Reopen(ctx context.Context, all []store.Account) (report []string, err error) {
	if !exists(s.closedFile()) {
		return nil, nil
	}
	for _, a := range all {
		if !a.Enabled {
			continue
		}
		did, eerr := s.Enable(ctx, a, all)
		report = append(report, did...)
		if errors.Is(eerr, ErrNoAccount) {
			continue // purged with the package; doctor says what to do
		}
		err = errors.Join(err, eerr)
	}
	if err != nil {
		return report, err
	}
	return report, putFile(s.closedFile(), nil, 0)
}

// OwnUsers returns the Unix users that picday made for accounts, in the jail group
// or not.
func OwnUsers() (names []string, err error) {
	data, err := os.ReadFile(passwdFile)
	if err != nil {
		return nil, fmt.Errorf("read the machine's users: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		name, _, _ := strings.Cut(line, ":")
		if ValidName(name) != nil {
			continue
		}
		u, err := lookupUser(name)
		if err != nil {
			return nil, err
		}
		if u != nil && u.ours() {
			names = append(names, name)
		}
	}
	return names, nil
}

// onlyOurs refuses if a user that picday did not make is in the jail group: without
// the drop-in sshd would no longer jail it.
func (s *System) onlyOurs() error {
	g, err := lookupGroup(JailGroup)
	if g == nil || err != nil {
		return err
	}
	for _, name := range g.members {
		u, err := lookupUser(name)
		if err != nil {
			return err
		}
		if u == nil || !u.ours() && !u.isLogin() {
			return refused("the user %s, which picday did not make, is in the group %s and would be let out of its jail: run \"gpasswd -d %[1]s %s\" first", name, JailGroup, JailGroup)
		}
	}
	return nil
}
