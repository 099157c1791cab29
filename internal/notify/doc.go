// Package notify sends notices by mail to people and by webhook to programs.
//
// It owns the outbox: the tables notice, delivery and lane of the catalogue. [Notifier.Look]
// finds what to send with a few queries whose cost does not grow with the photos. It adds
// the notice, with a delivery for each receiver, in the transaction that records the
// finding. [Notifier.Deliver] tries the first notice of a lane, which is the queue for one
// receiver and one account. A failure delays that lane only, and is tried again for a week.
// So each notice arrives at least once, in the order of its account, and under the same
// key, by which a receiver recognises a repetition.
//
// Both take the time as an argument. [Notifier.Run] calls them, in one goroutine for each
// channel, and nothing that takes in uploads waits for it.
//
// [Notifier.Watch] checks without the catalogue whether picdayd is proven to work, and
// sends its notice without the catalogue if that cannot be written.
package notify
