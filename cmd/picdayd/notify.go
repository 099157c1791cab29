package main

import (
	"context"
	"time"

	"picday/internal/notify"
	"picday/internal/web"
)

// newNotifier makes the component that tells people and programs. lastProven is from
// before this start.
func (s *service) newNotifier(lastProven time.Time) *notify.Notifier {
	return notify.New(notify.Options{
		Config: s.cfg, Store: s.store, Write: s.writer.Do, Backlog: s.backlog, Disks: s.floors,
		Proven: s.health.Proven, Failing: s.health.Failing, LastProven: lastProven,
		Told: notify.ToldByObserver(observerDir()), Log: s.log,
	})
}

// backlog is what the watcher and the ingester have not dealt with, by account.
func (s *service) backlog() (accounts map[string]notify.Backlog, known bool) {
	st := s.watcher.Status()
	accounts = map[string]notify.Backlog{}
	for name, b := range st.Accounts {
		accounts[name] = notify.Backlog(b)
	}
	return accounts, !st.LastScan.At.IsZero()
}

// floors are the disks whose room is watched.
func (s *service) floors() (all []notify.Disk) {
	for _, v := range s.diskRoom() {
		all = append(all, notify.Disk{What: v.what, Dir: v.dir, Free: v.free})
	}
	return all
}

// outboxWarnings are for the status.
func (s *service) outboxWarnings(ctx context.Context) ([]string, error) {
	return notify.Warnings(ctx, s.store, time.Now())
}

// outbox is for metrics, by way of delivery.
func (s *service) outbox(ctx context.Context) (map[string]web.Outbox, error) {
	n, err := s.notifier.Numbers(ctx)
	all := map[string]web.Outbox{}
	for way, waiting := range n.Waiting {
		o := web.Outbox{Waiting: waiting, Failures: n.Failures[way]}
		if at := n.Oldest[way]; !at.IsZero() {
			o.Oldest = max(0, time.Since(at))
		}
		all[way] = o
	}
	return all, err
}
