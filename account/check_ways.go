package account

import (
	"context"
	"fmt"

	"picday/store"
)

// checkWaysIn tells of what the admin's own Match blocks do to an account that
// is jailed: whom they keep out, and those that could not be tried.
func (s *System) checkWaysIn(ctx context.Context, f *findings, check string, a store.Account, r *round) {
	ways, odd, class, err := s.waysIn(a)
	if err != nil {
		f.fail(check, err.Error(), "look whether sshd's configuration can be read")
		return
	}
	class += fmt.Sprint(a.AllowFrom)
	if r.admitted[class] {
		return
	}
	for _, b := range odd {
		if !b.first { // else the proof of the jail has said so
			f.warn(check, fmt.Sprintf("%s could not be tried: %s", b, b.odd), "see for yourself that it lets nobody in or out, or write it with User, Group, Host and Address")
		}
	}
	groups, err := groupsOf(a.Name)
	if err != nil {
		f.fail(check, err.Error(), "look whether the machine's groups can be read")
		return
	}
	for _, p := range ways {
		if p.addr != "" && !allowed(a, p.addr) {
			continue
		}
		e, err := s.effective(ctx, a.Name, p)
		if err != nil {
			f.fail(check, err.Error(), "look for what is wrong in sshd's configuration")
			return
		}
		if why := e.denies(a.Name, groups, p); why != "" && !(p.addr == "" && len(a.AllowFrom) > 0) {
			f.warn(check, fmt.Sprintf("it cannot log in from %s, because of \"%s\" (see %s)", p, why, p.block), "take it out of there, if that is not as it should be")
			return
		}
	}
	r.admitted[class] = len(odd) == 0
}
