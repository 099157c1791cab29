// Command photos writes the demo's camera: eight photos as they come from
// one, large, with EXIF, one of them held upright.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	testphoto "picday/internal/test/photo"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: photos DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "photos:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	morning := time.Date(2026, 9, 14, 8, 30, 0, 0, time.FixedZone("", 2*60*60))
	for i := 1; i <= 8; i++ {
		spec := testphoto.Spec{
			Width: 3000, Height: 2000, Seed: uint64(i), Quality: 90, Orientation: 1,
			TakenAt: morning.Add(time.Duration(i) * time.Minute), Make: "picday", Model: "Demo", Thumbnail: true,
		}
		if i == 2 {
			spec.Orientation = 6
		}
		name := filepath.Join(dir, fmt.Sprintf("IMG_%04d.jpg", i))
		if err := os.WriteFile(name, testphoto.Make(spec), 0o644); err != nil {
			return err
		}
	}
	return nil
}
