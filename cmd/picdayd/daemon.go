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

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"picday/ingest"
	"picday/internal/accountlist"
	"picday/internal/areas"
	"picday/internal/config"
	"picday/internal/control"
	"picday/internal/decoder"
	"picday/internal/health"
	"picday/internal/jailgroup"
	"picday/internal/layout"
	"picday/internal/notify"
	"picday/internal/photo"
	"picday/internal/preview"
	"picday/internal/receipts"
	"picday/internal/status"
	"picday/internal/trees"
	"picday/internal/upkeep"
	"picday/internal/upload"
	"picday/internal/version"
	"picday/internal/web"
	"picday/store"
	"picday/store/pictures"
	"picday/watcher"
)

// A service has the components of the daemon. Each blocks in its Run; serve starts them all
// in one errgroup, so the first to fail ends the others.
type service struct {
	cfg       config.Config
	log       zerolog.Logger
	store     *store.Store
	writer    *store.Writer
	volumes   *upload.Volumes
	watcher   *watcher.Watcher
	decoder   *decoder.Pool
	ingest    *ingest.Ingester
	accounts  *accountlist.List
	jail      *jailgroup.Monitor
	metrics   *web.Metrics
	listeners *web.Listeners
	room      *store.Room
	health    *health.Monitor
	status    *status.Reporter
	notifier  *notify.Notifier
	receipts  *receipts.Writer
	previews  *preview.Maker
}

// stopWithin is how long work in progress may take after SIGTERM. Then it is abandoned, which
// loses nothing: each of its steps can be repeated.
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
	if err := pictures.In(cfg.DataDir).ClearTemp(); err != nil {
		return unusable(err, cfg)
	}
	s, err := openOrServe(ctx, cfg, log)
	if s == nil {
		return err
	}
	defer s.store.Close()
	if err := s.accounts.Load(ctx); err != nil && !errors.Is(err, accountlist.ErrNotApplied) {
		return err
	}
	listeners, closeListeners, err := s.listen(ctx)
	if err != nil {
		return err
	}
	defer closeListeners()
	s.listeners = listeners
	log.Info().Str("version", version.String()).Str("upload_dir", cfg.UploadDir).Str("data_dir", cfg.DataDir).Msg("started")

	// The writer ends after the others, so that their last work is still committed.
	writerCtx, stopWriter := context.WithCancel(context.WithoutCancel(ctx))
	written := make(chan error, 1)
	go func() { written <- s.writer.Run(writerCtx) }()

	// The decoders end after the ingester.
	decoderCtx, stopDecoder := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDecoder()

	group, ctx := errgroup.WithContext(ctx)
	changed := make(chan struct{}, 1)
	group.Go(func() error { return s.watcher.Run(ctx, s.ingest) })
	group.Go(func() error { return s.decoder.Run(decoderCtx) })
	group.Go(func() error { defer stopDecoder(); return s.ingest.Run(ctx) })
	group.Go(func() error { return s.ingest.Sweep(ctx, changed) })
	group.Go(func() error { return s.ingest.Rederive(ctx) })
	group.Go(func() error { return s.ingest.Group(ctx) })
	group.Go(func() error { return s.accounts.Follow(ctx, changed) })
	group.Go(func() error { return control.Serve(ctx, cfg.RunDir, s) })
	group.Go(func() error { return listeners.Run(ctx) })
	group.Go(func() error { return s.checkHealth(ctx) })
	group.Go(func() error { return s.jail.Run(ctx) })
	group.Go(func() error { return s.notifier.Run(ctx) })
	group.Go(func() error { return s.receipts.Run(ctx) })
	group.Go(func() error { return upkeep.Reserve(ctx, s.room.Keep, log) })
	group.Go(func() error { return upkeep.WAL(ctx, s.store.EmptyWAL, log) })
	group.Go(func() error {
		return upkeep.Manifest(ctx, s.store.All().ChangeMark, func() error { return s.room.Check(s.store.Size()) }, s.store.WriteManifest, log)
	})
	finished := make(chan error, 1)
	go func() {
		err := group.Wait()
		stopWriter()
		finished <- errors.Join(err, <-written)
	}()

	select {
	case err = <-finished:
	case <-ctx.Done():
		tellSystemd("STOPPING=1")
		select {
		case err = <-finished:
		case <-time.After(stopWithin):
			log.Warn().Int("in_progress", len(s.ingest.InProgress())).Msg("work in hand abandoned, it will be done again")
			return nil
		}
	}
	if err == nil || errors.Is(err, context.Canceled) {
		log.Info().Msg("stopped")
		return nil
	}
	return err
}

// unusable adds to an error of the data directory what to do about it.
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
	// Only 'picday init' makes a new catalogue: if the disk is not mounted or the catalogue
	// is lost, a new one would hide that.
	st, err := store.Open(ctx, cfg.DataDir)
	if err != nil {
		return nil, err
	}
	s := &service{cfg: cfg, log: log, store: st, room: room, writer: st.NewWriter()}
	s.metrics = web.NewMetrics(version.String(), s.numbers)
	volumes := upload.NewVolumes(filepath.Join(cfg.UploadDir, store.MarkerFile))
	s.volumes = volumes
	s.watcher, err = watcher.New(watcher.Options{
		Settle:       cfg.Upload.Settle.Std(),
		SettleUnsure: cfg.Upload.SettleUnsure.Std(),
		Rescan:       cfg.Upload.Rescan.Std(),
		Depth:        layout.MaxDepth,
		MaxDirs:      cfg.Upload.MaxFolders,
		Volume:       volumes.Key,
		Remounted:    volumes.Forget,
		Ignore:       layout.IsNoise,
		Canary:       filepath.Join(cfg.RunDir, "canary"),
		Log:          log,
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
		Codes:   func(account string) bool { return s.ingest.ReadsCodes(account) },
		Log:     log,
	})
	s.previews = preview.New(preview.Options{UploadDir: cfg.UploadDir, Volumes: volumes, Render: s.decoder.Render, Limits: limits})
	s.ingest = ingest.New(ingest.Options{
		Store: st, Writer: s.writer, Config: cfg, Volumes: volumes,
		Watcher: s.watcher,
		Room:    room.Check,
		Limits:  limits,
		Render:  s.decoder.Render,
		Taken:   s.taken,
		Judged:  s.watcher.Judged,
		Log:     log,
	})
	s.accounts = accountlist.New(accountlist.Options{
		UploadDir: cfg.UploadDir,
		Accounts:  st.All().Accounts, JobStates: st.JobStates, Version: st.Version,
		Areas: cfg.Upload.AreaNames(),
		Apply: s.apply,
		Log:   log,
	})
	s.jail = &jailgroup.Monitor{Accounts: st.All().Accounts, Log: log}
	every := health.Every
	if limit, err := daemon.SdWatchdogEnabled(false); err == nil && limit > 0 {
		every = min(every, limit/3)
	}
	s.health = health.New(every, tellSystemd, log)
	lastProven, err := st.LastProven(ctx)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	s.notifier = s.newNotifier(lastProven)
	s.receipts = receipts.New(receipts.Options{
		Enabled: cfg.Receipts.Enabled, Store: st, Trees: trees.Dir(cfg.UploadDir), Log: log,
		Volume:  func(ctx context.Context) error { return st.CheckVolume(ctx, cfg.UploadDir) },
		Room:    func() error { return s.room.Check(0) },
		Waiting: func() map[watcher.Tree]watcher.Backlog { return s.watcher.Status().Trees },
	})
	s.status = status.New(status.Sources{
		Config: cfg, Since: time.Now().UTC(),
		Watcher: s.watcher.Status, Ingest: s.ingest, LacksProfiles: s.decoder.LacksProfiles,
		Proven: s.health.Proven, Failing: s.health.Failing,
		Counts:       st.All().Counts,
		CheckVolume:  func(ctx context.Context) error { return st.CheckVolume(ctx, cfg.UploadDir) },
		Room:         func() error { return s.room.Check(0) },
		TooManyFiles: func(ctx context.Context) ([]string, error) { return st.AccountsWaiting(ctx, layout.TooManyFiles) },
		WAL:          func() string { return upkeep.WALWarning(st.WAL(), time.Now()) },
		Listeners:    func() []string { return s.listeners.Warnings() },
		Outbox:       s.outboxWarnings,
		Jail:         s.jail.Warnings,
	})
	return s, nil
}

// apply gives the accounts to those who work for them. Files are to be looked at again
// only after the ingester has the new rules, and before the watcher looks.
func (s *service) apply(ctx context.Context, accounts []store.Account, roots []watcher.Root) (err error) {
	s.ingest.SetAccounts(accounts)
	for _, a := range accounts {
		err = errors.Join(err, s.store.ApplyAreas(ctx, a, areas.Of(s.cfg.Upload.AreaNames(), a.Areas)))
	}
	s.watcher.SetRoots(roots)
	return err
}

// checkHealth waits for the decoders first: a sandbox in which none can start must not
// look like a start that went well.
func (s *service) checkHealth(ctx context.Context) error {
	select {
	case <-s.decoder.Ready():
	case <-ctx.Done():
		return nil
	}
	opened, err := s.store.OpenedDir()
	if err != nil {
		return err
	}
	// It is not closed: a check that hangs may use it until the process ends.
	return s.health.Run(ctx, health.Checks{
		Watcher:   s.watcher.Alive,
		Place:     opened.Check,
		Disk:      opened.WriteAliveFile,
		Catalogue: func(ctx context.Context) error { return s.writer.Do(ctx, (*store.Tx).WriteAliveRow) },
		Room:      func() error { return s.room.Check(0) },
	})
}

// tellSystemd tells systemd, if it has asked to be told.
func tellSystemd(state string) { _, _ = daemon.SdNotify(false, state) }

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
