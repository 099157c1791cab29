package decoder

// #include "confine.h"
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"

	"golang.org/x/sys/unix"

	"picday/internal/photo"
)

// Child tells whether the arguments are those of a decoder child. Then the program
// has been confined already, and must do nothing but exit with what [Main] returns.
func Child(args []string) bool { return len(args) == 3 && args[1] == C.PICDAY_DECODE }

// saidCPU is what a child prints at its CPU limit before it ends.
const saidCPU = "CPU limit reached"

// Main runs a child. Descriptor 0 is the socket to the parent; from 1 and 2 the parent reads
// what the Go runtime prints in a crash.
func Main() int {
	return serve(render)
}

// render is what a child does with a picture.
func render(picture *os.File, q request) (photo.Meta, photo.Picture, error) {
	m := photo.ReadMeta(picture)
	render := photo.Render
	if q.Codes {
		render = photo.RenderAndRead
	}
	out, err := render(picture, m, q.Facts, q.Limits, q.Sizes)
	return m, out, err
}

// serve answers requests until the parent closes the socket, or is gone. Other than
// in the parent, an error is fatal: a child that lost the thread is replaced.
func serve(do func(*os.File, request) (photo.Meta, photo.Picture, error)) int {
	if C.picday_confined == 0 {
		fmt.Fprintln(os.Stderr, "decoder: not confined, refusing to work")
		return 1
	}
	// The Go runtime ignores this signal. A decoder inside C does not hear of it, but
	// the other threads go on.
	tooLong := make(chan os.Signal, 1)
	signal.Notify(tooLong, unix.SIGXCPU)
	go func() {
		<-tooLong
		fmt.Fprintln(os.Stderr, saidCPU)
		os.Exit(1)
	}()
	socket := os.NewFile(0, "socket")
	say := func(v any) error {
		message, err := pack(v)
		if err == nil {
			_, err = socket.Write(message)
		}
		return err
	}
	err := say(hello{Landlock: int(C.picday_landlock), Profiles: photo.Profiles()})
	for err == nil {
		err = one(socket, say, do)
		// Not when memory is short but now, while the parent copies the next file:
		// nothing of a picture outlives it, and the peak is that of one. Twice, because
		// what is in a sync.Pool survives one collection.
		runtime.GC()
		runtime.GC()
	}
	if errors.Is(err, io.EOF) {
		return 0
	}
	fmt.Fprintln(os.Stderr, "decoder:", err)
	return 1
}

func one(socket *os.File, say func(any) error, do func(*os.File, request) (photo.Meta, photo.Picture, error)) error {
	picture, first, err := receive(int(socket.Fd()))
	if err != nil {
		return err
	}
	defer picture.Close()
	q, err := readRequest(io.MultiReader(first, socket))
	if err != nil {
		return err
	}
	m, out, err := do(picture, q)
	if err != nil {
		return say(refusal(err))
	}
	a := reply{Meta: m, Unusual: out.Unusual, Codes: out.Codes}
	for _, r := range out.Renditions {
		a.Renditions = append(a.Renditions, piece{r.Name, r.Width, r.Height, len(r.JPEG)})
	}
	if err := say(a); err != nil {
		return err
	}
	for _, r := range out.Renditions {
		if _, err := socket.Write(r.JPEG); err != nil {
			return err
		}
	}
	return nil
}

// readRequest is strict, although the parent is trusted: a request that is wrong by accident
// must not make a child decode beyond the limits.
func readRequest(r io.Reader) (request, error) {
	var q request
	if err := unpack(r, &q); err != nil {
		return q, err
	}
	if len(q.Sizes) == 0 {
		return q, fmt.Errorf("%w: no sizes", errBadReply)
	}
	for _, s := range q.Sizes {
		if s.Longest < 1 || s.Longest > 65535 || s.Quality < 1 || s.Quality > 100 {
			return q, fmt.Errorf("%w: size %d, quality %d", errBadReply, s.Longest, s.Quality)
		}
	}
	if q.Limits.MaxPixels < 0 || q.Limits.MaxProgressive < 0 || q.Limits.MaxScans < 0 {
		return q, fmt.Errorf("%w: limits below nothing", errBadReply)
	}
	return q, nil
}

// receive waits for a request and returns its descriptor, and its first bytes.
func receive(socket int) (*os.File, io.Reader, error) {
	head, oob := make([]byte, 4), make([]byte, unix.CmsgSpace(4))
	n, oobn, flags, _, err := unix.Recvmsg(socket, head, oob, unix.MSG_CMSG_CLOEXEC)
	for errors.Is(err, unix.EINTR) {
		n, oobn, flags, _, err = unix.Recvmsg(socket, head, oob, unix.MSG_CMSG_CLOEXEC)
	}
	switch {
	case err != nil:
		return nil, nil, err
	case n == 0:
		return nil, nil, io.EOF
	case flags&unix.MSG_CTRUNC != 0 || oobn == 0:
		return nil, nil, fmt.Errorf("%w: not one descriptor", errBadReply)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(messages) != 1 {
		return nil, nil, fmt.Errorf("%w: control message: %w", errBadReply, err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, nil, fmt.Errorf("%w: %d descriptors: %w", errBadReply, len(fds), err)
	}
	return os.NewFile(uintptr(fds[0]), "picture"), bytes.NewReader(head[:n]), nil
}
