package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"picday/internal/layout"
	"picday/internal/upload"
	"picday/store"
	"picday/store/pictures"
)

// A verdict is the result of one file: a change to commit, a request to send the file
// again, or nothing to do (the zero verdict).
type verdict struct {
	again     bool            // have the watcher send the file again
	why       string          // for Judged; "": committed says it
	delay     time.Duration   // until Done is called
	files     []pictures.Name // written; to be made durable before apply
	apply     func(*store.Tx) error
	release   func() // called when the change is committed or has failed; may be nil
	committed func() // called when the change is committed; may be nil
}

// problem returns the verdict on a file that cannot become a photo as it is. One that was
// sent early is looked at again first, because its upload may go on.
func (in *Ingester) problem(f settled, reason layout.Reason) verdict {
	if f.Early {
		return sendAgain("no photo yet (" + string(reason) + "): it is looked at again after the whole quiet time")
	}
	keep := in.Config.Upload.StrayKeep.Std()
	if reason != layout.BadName {
		keep = 0
	}
	in.Log.Info().Str("account", f.Account).Str("path", f.place.Shown).Str("reason", string(reason)).Msg("problem")
	return verdict{
		apply: in.byItsRules(f, func(tx *store.Tx) error {
			return in.withDisk(tx.Budget(), func(d store.Disk) error {
				return tx.Problem(f.owner.Account, f.place, f.Identity, reason, keep, d)
			})
		}),
		committed: func() {
			in.Judged(f.File, "a problem: "+string(reason))
			in.Taken(Taken{Account: f.Account, Layout: f.owner.Layout})
		},
	}
}

// sendAgain returns the verdict on a file that is not decided on yet.
func sendAgain(why string) verdict { return verdict{again: true, why: why} }

// companion returns the verdict on a camera's RAW or side file.
func (in *Ingester) companion(f settled, stem string) verdict {
	var outcome store.Outcome // a problem
	return verdict{
		apply: in.byItsRules(f, func(tx *store.Tx) error {
			hasJPEG, err := tx.Companion(f.owner.Account, f.place, f.Identity, stem)
			if outcome = ""; hasJPEG {
				outcome = store.Sidecar
			}
			return err
		}),
		committed: func() {
			in.Log.Info().Str("account", f.Account).Str("path", f.place.Shown).Bool("jpeg_beside", outcome == store.Sidecar).Msg("RAW or side file")
			in.Taken(Taken{Account: f.Account, Layout: f.owner.Layout, Outcome: outcome})
		},
	}
}

// publish returns the verdict on a file whose picture is on disk. release ends the
// hold on it.
func (in *Ingester) publish(f settled, o store.Original, release func()) verdict {
	var outcome store.Outcome
	return verdict{
		files: namesOf(o),
		apply: in.byItsRules(f, func(tx *store.Tx) error {
			arrival := store.Arrival{Account: f.owner.Account, Place: f.place, Identity: f.Identity, Original: o, Flags: flagsOf(o)}
			return in.withDisk(tx.Budget(), func(d store.Disk) (err error) {
				outcome, err = tx.Publish(arrival, d)
				if err == nil {
					in.Log.Info().Str("account", f.Account).Str("path", f.place.Shown).Stringer("sha256", o.SHA).Str("outcome", string(outcome)).Msg("photo")
				}
				return err
			})
		}),
		release: release,
		committed: func() {
			in.Judged(f.File, "a whole JPEG with a real end: "+string(outcome))
			in.Taken(Taken{f.Account, f.owner.Layout, outcome, time.Since(time.Unix(0, f.Identity.Ctime))})
		},
	}
}

// flagsOf returns the flags of a photo, separated by spaces.
func flagsOf(o store.Original) string {
	var flags []string
	if o.Width < smallWidth {
		flags = append(flags, "small")
	}
	if o.Unusual {
		flags = append(flags, "unusual")
	}
	return strings.Join(flags, " ")
}

// smallWidth is the width in pixels, as seen, below which a picture is flagged "small".
const smallWidth = 600

// retryLater returns the verdict after an error that the file did not cause.
func (in *Ingester) retryLater(f settled, err error) verdict {
	delay := in.recordFailure(f.File, err)
	return verdict{again: true, delay: delay, why: fmt.Sprintf("picdayd failed at it, not the upload, and tries again after %s: %v", delay, err)}
}

// maxOutsideTries is how often finish answers expensive questions outside of the
// transaction. If the answers keep changing, the file waits as after any other error.
const maxOutsideTries = 3

// finish commits a verdict and answers the file with Done.
func (in *Ingester) finish(ctx context.Context, f upload.File, v verdict) {
	var over *overBudget
	outside := 0
	var submit func()
	answer := func(err error) {
		if errors.As(err, &over) && outside < maxOutsideTries {
			outside++
			// In another goroutine, because the writer's goroutine calls answer.
			if in.background.start(func() {
				if err := in.answerOutside(over.questions); err != nil {
					outside = maxOutsideTries
				}
				submit()
			}) {
				return
			}
		}
		if v.release != nil {
			v.release()
		}
		if err != nil {
			delay := in.recordFailure(f, err)
			in.Judged(f, fmt.Sprintf("picdayd could not enter it, and tries again after %s: %v", delay, err))
			time.AfterFunc(delay, func() { in.Watcher.Done(f, true) })
			return
		}
		if !v.again {
			in.retries.succeed(f)
		}
		if v.committed != nil {
			v.committed()
		} else if v.why != "" {
			in.Judged(f, v.why)
		}
		if v.delay > 0 {
			time.AfterFunc(v.delay, func() { in.Watcher.Done(f, v.again) })
			return
		}
		in.Watcher.Done(f, v.again)
	}
	if v.apply == nil {
		answer(nil)
		return
	}
	submit = func() {
		// Without cancellation, so that a rendered picture is committed when picdayd
		// stops; the writer runs longer than this.
		if err := in.Writer.Submit(context.WithoutCancel(ctx), store.Change{Files: v.files, Apply: v.apply, Done: answer}); err != nil {
			answer(err)
		}
	}
	submit()
}
