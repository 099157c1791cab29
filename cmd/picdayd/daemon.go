package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"picday/decoder"
	"picday/ingest"
	"picday/internal/config"
	"picday/internal/control"
	"picday/internal/version"
	"picday/internal/volume"
	"picday/layout"
	"picday/photo"
	"picday/store"
	"picday/watcher"
	"picday/web"
)

// A service is the daemon, wired. Who runs what: every component blocks in
// its Run, all of them started in serve, in one errgroup; the first to fail
// ends the others.
type service struct {
	cfg     config.Config
	log     zerolog.Logger
	store   *store.Store
	writer  *store.Writer
	watcher *watcher.Watcher
	decoder *decoder.Pool
	ingest  *ingest.Ingester
	roster  *roster
	jails   *jails
	metrics *web.Metrics
	front   *front
	room    *store.Room
	proof   proof
	survey  survey
	since   time.Time
}

// stopWithin is how long the work in hand may take after SIGTERM. What is not
// done by then is abandoned, which loses nothing: each of its steps is
// harmless to repeat.
const stopWithin = 8 * time.Second

func serve(ctx context.Context, cfg config.Config, log zerolog.Logger) error {
	unlock, err := store.LockDataDir(cfg.DataDir)
	if errors.Is(err, syscall.EROFS) && store.DiskReadOnly(cfg.DataDir) {
		return serveReadOnly(ctx, cfg, err, log)
	}
	if err != nil {
		return unusable(err, cfg)
	}
	defer unlock()
	if err := store.ClearTemp(cfg.DataDir); err != nil {
		return unusable(err, cfg)
	}
	s, err := openOrServe(ctx, cfg, log)
	if s == nil {
		return err
	}
	defer s.store.Close()
	if err := s.roster.load(ctx); err != nil {
		return err
	}
	front, err := s.openFront(ctx)
	if err != nil {
		return err
	}
	defer front.close()
	log.Info().Str("version", version.String()).Str("upload_dir", cfg.UploadDir).Str("data_dir", cfg.DataDir).Msg("started")

	// The writer outlives the others, so that what they have in hand when
	// they are told to stop is still committed.
	writerCtx, stopWriter := context.WithCancel(context.WithoutCancel(ctx))
	written := make(chan error, 1)
	go func() { written <- s.writer.Run(writerCtx) }()

	// So do the decoders outlive the ingester, which stops them.
	decoderCtx, stopDecoder := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDecoder()

	group, ctx := errgroup.WithContext(ctx)
	files := make(chan ingest.File)
	nudge := make(chan struct{}, 1)
	group.Go(func() error { return s.watcher.Run(ctx) })
	group.Go(func() error { return s.bridge(ctx, files) })
	group.Go(func() error { return s.decoder.Run(decoderCtx) })
	group.Go(func() error { defer stopDecoder(); return s.ingest.Run(ctx, files, s.done) })
	group.Go(func() error { return s.ingest.Sweep(ctx, nudge) })
	group.Go(func() error { return s.ingest.Rederive(ctx) })
	group.Go(func() error { return s.roster.follow(ctx, nudge) })
	group.Go(func() error { return control.Serve(ctx, cfg.RunDir, s) })
	group.Go(func() error { return front.run(ctx) })
	group.Go(func() error { return s.keepProving(ctx) })
	group.Go(func() error { return s.jails.follow(ctx) })
	group.Go(func() error { return s.keepRoom(ctx) })
	group.Go(func() error { return s.keepWAL(ctx) })
	finished := make(chan error, 1)
	go func() {
		err := group.Wait()
		stopWriter()
		finished <- errors.Join(err, <-written)
	}()

	select {
	case err = <-finished:
	case <-ctx.Done():
		notify("STOPPING=1")
		select {
		case err = <-finished:
		case <-time.After(stopWithin):
			log.Warn().Int("in_hand", len(s.ingest.InHand())).Msg("work in hand abandoned, it will be done again")
			return nil
		}
	}
	if err == nil || errors.Is(err, context.Canceled) {
		log.Info().Msg("stopped")
		return nil
	}
	return err
}

// unusable says what to do about a data directory that cannot be worked in.
func unusable(err error, cfg config.Config) error {
	switch {
	case errors.Is(err, store.ErrNoCatalogue), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w. If there has been one, is its disk mounted?", err)
	case errors.Is(err, syscall.EROFS): // to try again would not help
		return usageError{fmt.Errorf("%w. If its disk is not read-only, the unit is: run 'systemctl edit picdayd', add under [Service] the line ReadWritePaths=%s %s, and 'systemctl restart picdayd'",
			err, cfg.UploadDir, cfg.DataDir)}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: make room in %s", err, cfg.DataDir)
	}
	return err
}

func open(ctx context.Context, cfg config.Config, room *store.Room, log zerolog.Logger) (*service, error) {
	// A new catalogue is for init to make: where the disk is away or the
	// catalogue is lost, another one would hide it.
	st, err := store.Open(ctx, cfg.DataDir)
	if err != nil {
		return nil, err
	}
	s := &service{cfg: cfg, log: log, store: st, room: room, writer: st.NewWriter(), since: time.Now().UTC()}
	s.survey.slots = make(chan struct{}, 8)
	s.metrics = web.NewMetrics(version.String(), s.numbers)
	volumes := volume.New(filepath.Join(cfg.UploadDir, store.MarkerFile))
	s.watcher, err = watcher.New(watcher.Options{
		Ledger:       ledger{s},
		Settle:       cfg.Upload.Settle.Std(),
		SettleUnsure: cfg.Upload.SettleUnsure.Std(),
		Rescan:       cfg.Upload.Rescan.Std(),
		Depth:        layout.MaxDepth,
		MaxDirs:      cfg.Upload.MaxFolders,
		Skip: func(root, path string, id watcher.Identity) bool {
			return s.ingest.LeftOut(root, path, store.Identity(id))
		},
		Volume:    volumes.Key,
		Remounted: volumes.Forget,
		Ignore:    layout.IsNoise,
		Quick:     func(root, path string, regular bool) bool { return s.ingest.Quick(root, path, regular) },
		Log:       log,
	})
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	limits := photo.Limits{
		MaxPixels:      int64(cfg.Images.MaxMegapixels) * 1_000_000,
		MaxProgressive: int64(cfg.Images.MaxMegapixelsProgressive) * 1_000_000,
		MaxScans:       cfg.Images.MaxScans,
	}
	s.decoder = decoder.New(decoder.Options{
		Workers: ingest.Decoders(cfg.Images),
		Limits:  limits,
		Time:    cfg.Images.DecodeTime.Std(),
		Memory:  int64(cfg.Images.DecodeMegabytes) << 20,
		Log:     log,
	})
	s.ingest = ingest.New(ingest.Options{
		Store: st, Writer: s.writer, Config: cfg, Volumes: volumes,
		Held:   watcher.Held,
		Look:   s.watcher.Look,
		Room:   room.Check,
		Limits: limits,
		Render: s.decoder.Render,
		Taken:  s.taken,
		Log:    log,
	})
	s.roster = &roster{service: s}
	s.jails = &jails{log: log, accounts: st.Accounts}
	return s, nil
}

// checkOnly is picdayd --check.
func checkOnly(ctx context.Context, cfg config.Config, stdout io.Writer) error {
	st, err := store.Open(ctx, cfg.DataDir)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := st.CheckVolume(ctx, cfg.UploadDir); err != nil {
		return err
	}
	if err := st.QuickCheck(ctx); err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	fmt.Fprintln(stdout, "configuration, catalogue and upload volume are fine")
	return nil
}
