// Package failure has the kinds of errors that the exit status of a command tells
// apart. Where an engine sees that something was asked for wrongly, or that doing it
// would lose or expose something, it says so with the error's kind, and in the error
// what to do.
package failure

import (
	"errors"
	"fmt"
)

type (
	usage   struct{ error }
	refusal struct{ error }
)

func (e usage) Unwrap() error   { return e.error }
func (e refusal) Unwrap() error { return e.error }

// Usage makes of an error one of wrong usage or configuration.
func Usage(err error) error { return usage{err} }

// Usagef is fmt.Errorf for a Usage.
func Usagef(format string, args ...any) error { return usage{fmt.Errorf(format, args...)} }

// IsUsage tells whether the error is, or wraps, a Usage.
func IsUsage(err error) bool { return errors.As(err, new(usage)) }

// Refusal makes of an error one of what is refused because it would lose or expose
// something.
func Refusal(err error) error { return refusal{err} }

// Refusalf is fmt.Errorf for a Refusal.
func Refusalf(format string, args ...any) error { return refusal{fmt.Errorf(format, args...)} }

// IsRefusal tells whether the error is, or wraps, a Refusal.
func IsRefusal(err error) bool { return errors.As(err, new(refusal)) }
