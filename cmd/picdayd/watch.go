package main

import (
	"cmp"
	"context"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/config"
	"picday/internal/control"
	"picday/internal/notify"
)

// observerDir is where picday-watch.service keeps what it knows.
func observerDir() string { return cmp.Or(os.Getenv("STATE_DIRECTORY"), "/var/lib/picday-watch") }

// askWithin is far longer than a picdayd that works takes.
const askWithin = 15 * time.Second

// watch looks once from outside whether picdayd is there, and tells if it is not.
func watch(ctx context.Context, configFile string, after time.Duration, log zerolog.Logger) error {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return err
	}
	return notify.Observer{
		Load: func() (config.Config, error) { return config.Load(configFile) },
		Ask: func(ctx context.Context, dir string) (control.Teller, error) {
			ctx, cancel := context.WithTimeout(ctx, askWithin)
			defer cancel()
			return control.AskTeller(ctx, dir)
		},
		Dir: observerDir(), After: after, Boot: strings.TrimSpace(string(boot)), Now: time.Now, Log: log,
	}.Check(ctx)
}
