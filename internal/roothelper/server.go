// Package roothelper answers what picdayd asks of root (internal/helper). Each request is
// one process, started by systemd for one connection; it ends with the answer.
//
// picdayd may be taken over. So the helper believes nothing that it is sent: the peer must
// be picday's Unix user, the verb must be in web.may of a configuration that only root can
// change, and every account, job and photo must be a row of the catalogue, which is parsed
// as everywhere. Whoever has picday's user can do what web.may lists, and no more: he can
// write any operator into the catalogue. The operator's own password protects against
// somebody at an open browser, not against him.
package roothelper

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"picday/internal/account"
	"picday/internal/config"
	"picday/internal/failure"
	"picday/internal/helper"
	"picday/internal/provision"
	"picday/internal/trash"
	"picday/store"
	"picday/store/pictures"
)

// A Machine is what of the system is needed; *account.System is one.
type Machine interface {
	provision.Machine
	trash.Machine
}

// Options are what a Server works with.
type Options struct {
	Part helper.Part
	// Config reads the configuration, and fails if anybody but root can change it.
	Config  func() (config.Config, error)
	Open    func(ctx context.Context) (*store.Store, error)
	Machine func(config.Config) Machine
	State   string // the file of recent requests, in a directory of root's
	Daemon  func() (uid int, err error)
	Peer    func(*net.UnixConn) (uid int, err error) // PeerUID
	Within  time.Duration                            // helper.SendWithin: how long a request is waited for
	Now     func() time.Time
	Log     zerolog.Logger
}

// PeerUID is the user of the process that has made the connection, as the kernel says.
func PeerUID(conn *net.UnixConn) (uid int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	cerr := raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err = errors.Join(cerr, err); err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}

// Serve answers the one request of a connection, and closes it.
func (o Options) Serve(ctx context.Context, conn *net.UnixConn) {
	defer conn.Close()
	answer := o.answer(ctx, conn)
	text, err := json.Marshal(answer)
	if err != nil || len(text) > helper.MaxAnswer {
		text = []byte(`{"why":"failed"}`)
	}
	_ = conn.SetWriteDeadline(time.Now().Add(helper.SendWithin))
	if _, err := conn.Write(text); err != nil {
		o.Log.Warn().Err(err).Msg("nobody waits for the answer")
		return
	}
	// What was not read would make the kernel throw the answer away.
	_ = errors.Join(conn.CloseWrite(), conn.SetReadDeadline(time.Now().Add(time.Second)))
	_, _ = io.CopyN(io.Discard, conn, helper.MaxAnswer)
}

// answer does what is asked for.
func (o Options) answer(ctx context.Context, conn *net.UnixConn) helper.Answer {
	uid, err := o.Peer(conn)
	daemon, derr := o.Daemon()
	if err = errors.Join(err, derr); err != nil || uid != daemon {
		o.Log.Error().Err(err).Int("uid", uid).Msg("refused: this is not picdayd")
		return helper.Answer{Why: helper.NotGiven, Sentence: "Only picdayd is answered here."}
	}
	r, err := read(conn, o.Within)
	log := o.Log.With().Str("verb", string(r.Verb)).Str("operator", r.Operator).Str("account", r.Account).Logger()
	for key, value := range map[string]string{"job": r.Job, "login": r.Login} {
		if value != "" {
			log = log.With().Str(key, value).Logger()
		}
	}
	if r.Photo != 0 {
		log = log.With().Int64("photo", r.Photo).Logger()
	}
	var a helper.Answer
	if err == nil {
		log.Info().Msg("asked")
		a, err = o.do(ctx, r)
	}
	if err == nil {
		log.Info().Strs("done", a.Done).Msg("done")
		return a
	}
	refused := refusal(err)
	log.Warn().Err(err).Str("why", string(refused.Why)).Msg("refused")
	return helper.Answer{Done: a.Done, Why: refused.Why, Sentence: refused.Sentence}
}

// read reads and checks a request. What is returned beside an error is only for the log.
func read(conn *net.UnixConn, within time.Duration) (r helper.Request, err error) {
	_ = conn.SetReadDeadline(time.Now().Add(within)) // fails only for a closed connection
	text, err := io.ReadAll(io.LimitReader(conn, helper.MaxRequest+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return r, refuse(helper.Invalid, "The request was not complete in time.")
	case err != nil:
		return r, err
	case len(text) > helper.MaxRequest:
		return r, refuse(helper.Invalid, "The request is too long.")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil || dec.InputOffset() != int64(len(text)) {
		return helper.Request{}, refuse(helper.Invalid, "The request is not one JSON object of the known fields.")
	}
	return r, check(r)
}

// check refuses what no picdayd sends. Names of things are looked up later.
func check(r helper.Request) error {
	texts := append([]string{r.ID, string(r.Verb), r.Operator, r.Password, r.Account, r.Job, r.Layout, r.Login, r.Until}, r.Allow...)
	for _, text := range texts {
		if len(text) > 300 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			return refuse(helper.Invalid, "Names and words are one line of at most 300 bytes.")
		}
	}
	takes := map[helper.Verb]helper.Request{
		helper.JobAdd: {Job: "x"}, helper.JobRemove: {Job: "x"}, helper.TrashRestore: {Photo: 1},
		helper.AccountAdd: {Layout: "x", Key: "x", Allow: []string{"x"}}, helper.AccountPasswd: {Login: "x"}, helper.AccountKey: {Key: "x", Login: "x"},
		helper.AccountAllow: {Allow: []string{"x"}}, helper.LoginAdd: {Login: "x", Until: "x", Key: "x"}, helper.LoginUntil: {Login: "x", Until: "x"}, helper.LoginRemove: {Login: "x"},
	}[r.Verb]
	switch {
	case len(r.ID) < 16 || len(r.ID) > 64, r.Photo < 0, !store.ValidLogin(r.Operator), store.ValidName(r.Account) != nil,
		r.Login != "" && store.ValidName(r.Login) != nil:
		return refuse(helper.Invalid, "The request has a name or a number that cannot be one.")
	case r.Job != "" && takes.Job == "", r.Photo != 0 && takes.Photo == 0, r.Layout != "" && takes.Layout == "", r.Login != "" && takes.Login == "",
		r.Until != "" && takes.Until == "", r.Key != "" && takes.Key == "", len(r.Allow) > 0 && takes.Allow == nil,
		r.Password != "" && r.Verb.Part() != helper.Accounts:
		return refuse(helper.Invalid, "The request has a field that is not for its verb.")
	}
	return nil
}

// do checks what is not in the request, and does it.
func (o Options) do(ctx context.Context, r helper.Request) (a helper.Answer, err error) {
	if r.Verb.Part() != o.Part {
		return a, refuse(helper.Invalid, "That is no verb here.")
	}
	cfg, err := o.Config()
	if err != nil {
		return a, err
	}
	if !slices.Contains(cfg.Web.May, string(r.Verb)) {
		return a, refuse(helper.NotGiven, fmt.Sprintf("The pages may not do that: web.may in picday's configuration does not list %s.", r.Verb))
	}
	now := o.Now()
	if late := now.Sub(time.UnixMilli(r.At)).Abs(); late > helper.Fresh {
		return a, refuse(helper.Invalid, "The request is from another time. Is the clock right?")
	}
	if err := o.note(now, r.ID); err != nil {
		return a, err
	}
	s, err := o.Open(ctx)
	if err != nil {
		return a, err
	}
	operator, err := o.authorize(ctx, s, r, now)
	if err != nil {
		return a, err
	}
	x := worker{cfg: cfg, s: s, machine: o.Machine(cfg), r: r, now: now}
	if r.Verb == helper.AccountAdd {
		if operator.AccountID != 0 {
			return a, refuse(helper.NotGiven, "An operator of one account makes no others.")
		}
		return x.addAccount(ctx)
	}
	acct, err := provision.Find(ctx, s, r.Account)
	if err == nil && operator.AccountID != 0 && operator.AccountID != acct.ID {
		err = store.ErrNotFound
	}
	if err == nil && r.Verb != helper.AccountDisable { // whose row does not parse can be closed
		err = acct.Flawed()
	}
	if err != nil {
		return a, err
	}
	return x.run(ctx, acct)
}

// authorize finds the operator, and for the part Accounts compares his password.
func (o Options) authorize(ctx context.Context, s *store.Store, r helper.Request, now time.Time) (operator store.Operator, err error) {
	all, err := s.Operators(ctx)
	if err != nil {
		return operator, err
	}
	i := slices.IndexFunc(all, func(o store.Operator) bool { return o.Name == r.Operator })
	need := map[helper.Part]store.Role{helper.Files: store.Work, helper.Accounts: store.Admin}[o.Part]
	switch {
	case i < 0:
		return operator, refuse(helper.NotGiven, "There is no such operator.")
	case !all[i].Role.May(need):
		return operator, refuse(helper.NotGiven, "This takes the role "+string(need)+".")
	}
	if o.Part != helper.Accounts {
		return all[i], nil
	}
	if err := o.attempt(now, r.Operator); err != nil {
		return operator, err
	}
	if _, err := s.LogIn(ctx, r.Operator, r.Password); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			err = refuse(helper.Password, "That is not your password. Nothing was changed.")
		}
		return operator, err
	}
	return all[i], o.known(now, r.Operator)
}

func refuse(why helper.Why, sentence string) error {
	return &helper.RefusalError{Why: why, Sentence: sentence}
}

// refusal is what an error is answered with.
func refusal(err error) *helper.RefusalError {
	var known *helper.RefusalError
	is := func(errs ...error) bool {
		return slices.ContainsFunc(errs, func(e error) bool { return errors.Is(err, e) })
	}
	sentence := strings.TrimPrefix(err.Error(), "--")
	first, size := utf8.DecodeRuneInString(sentence)
	sentence = strings.TrimSuffix(string(unicode.ToUpper(first))+sentence[size:], ".") + "."
	switch {
	case errors.As(err, &known):
		return known
	case failure.IsUsage(err), is(account.ErrInvalid):
		return &helper.RefusalError{Why: helper.Invalid, Sentence: sentence}
	case is(store.ErrNotFound, account.ErrNoAccount):
		return &helper.RefusalError{Why: helper.NotFound, Sentence: "There is no such account, job, photo or log-in any more."}
	case failure.IsRefusal(err),
		is(account.ErrRefused, provision.ErrExists, provision.ErrOver, store.ErrFlawed, pictures.ErrDamaged):
		return &helper.RefusalError{Why: helper.Refused, Sentence: sentence}
	}
	return &helper.RefusalError{Why: helper.Failed, Sentence: "That did not work. What went wrong is in the journal of picday's helper; it can be tried again."}
}
