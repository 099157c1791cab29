package main

import (
	"context"

	"picday/internal/shell"
	"picday/store"
)

// photos compares what is published with what the catalogue knows of the uploads,
// and every link with what the key makes.
func (v *verification) photos(ctx context.Context) error {
	const most = 1000
	fileless, err := v.s.Fileless(ctx, most)
	if err != nil {
		return err
	}
	for _, p := range fileless {
		v.differ(difference{
			Kind: "no-file", Account: p.Account, Path: p.Path, Message: "published, but no uploaded file stands for it there, so deleting cannot withdraw it",
			Fix: "Have it uploaded again at this path, or withdraw it on the pages",
		})
	}
	doubles, err := v.s.Doubles(ctx, most)
	if err != nil {
		return err
	}
	for _, p := range doubles {
		v.differ(difference{
			Kind: "double", Account: p.Account, Path: p.Path, Message: "more than one photo is published at this path",
			Fix: "Look at them on the pages, and withdraw those that are not what was uploaded last",
		})
	}
	return v.s.WrongLinks(ctx, func(p store.Photo) {
		name := p.Path
		if p.Person != "" {
			name = p.Person
		}
		v.differ(difference{
			Kind: "link", Account: p.Account, Path: p.Path, Message: "its link is not the one that the key makes for it, and may have been given out for another photo",
			Fix: "Give it a new one: " + shell.Line("picday", "link", "rotate", p.Account, name),
		})
	})
}
