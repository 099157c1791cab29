package main

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"picday/internal/terminal"
	"picday/store"
)

// A listing reads a list: of one account, or of all if its name is empty.
type listing[T any] func(ctx context.Context, s *store.Store, account string) ([]T, error)

// listCommand is a command that prints a list, which an account may narrow. It says
// none if the list is empty.
func listCommand[T any](a *app, use, short, none string, t terminal.Table[T], read listing[T]) *cobra.Command {
	return a.list(use, short, cobra.MaximumNArgs(strings.Count(use, "[ACCOUNT]")), func(ctx context.Context, args []string) error {
		s, acct, err := a.known(ctx, args)
		if err != nil {
			return err
		}
		list, err := read(ctx, s, acct.Name)
		if err != nil {
			return err
		}
		return printList(a, list, none, t)
	})
}

// printList prints a list as JSON, or as a table.
func printList[T any](a *app, list []T, none string, t terminal.Table[T]) error {
	if list == nil {
		list = []T{} // not null in JSON
	}
	return a.print(list, func(w io.Writer) {
		if len(list) == 0 {
			a.say(none)
			return
		}
		if t.Write(w, list, terminal.Columns(a.stdout)) {
			a.say("Shortened to the width of the terminal; in a pipe or a file nothing is.")
		}
	})
}

// each converts a list, readAll what a stream gives.
func each[T, U any](list []T, convert func(T) U) []U {
	all := make([]U, len(list))
	for i, x := range list {
		all[i] = convert(x)
	}
	return all
}

func readAll[T, U any](stream iter.Seq2[T, error], convert func(T) U) (all []U, err error) {
	for x, err := range stream {
		if err != nil {
			return nil, err
		}
		all = append(all, convert(x))
	}
	return all, nil
}
