package decoder

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A child is one decoder process, and the parent's end of its socket.
type child struct {
	cmd     *exec.Cmd
	conn    *net.UnixConn
	said    *head         // what it wrote to stdout and stderr
	done    chan struct{} // closed once it is dead and reaped; then cmd.ProcessState is set
	served  int
	account string    // whose pictures it has seen; "" = none yet
	since   time.Time // idle since
}

// spawn starts a child. It must run on a thread that lives as long as the pool: the
// kernel kills the child when the thread that started it ends (Pdeathsig).
func spawn(memory int64) (*child, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "decoder"), os.NewFile(uintptr(fds[1]), "socket")
	defer theirs.Close()
	conn, err := net.FileConn(ours)
	ours.Close()
	if err != nil {
		return nil, err
	}
	c := &child{conn: conn.(*net.UnixConn), said: &head{}, done: make(chan struct{})}
	c.cmd = &exec.Cmd{
		// Not os.Executable: after an upgrade that name is another build, with
		// another protocol.
		Path: "/proc/self/exe",
		Args: []string{"picdayd", "decode", strconv.FormatInt(memory, 10)},
		Env: []string{
			"GOMAXPROCS=1", "GOTRACEBACK=single",
			"GOMEMLIMIT=" + strconv.FormatInt(memory/2, 10),
			// What is freed is overwritten, by both: the account's next picture could
			// otherwise be shown with samples of the one before.
			"GODEBUG=clobberfree=1",
			"GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0:glibc.malloc.perturb=165",
			// libjpeg refuses a picture that would take more, before it takes it.
			fmt.Sprintf("JPEGMEM=%dM", memory/4*3/1e6),
		},
		Dir:   "/",
		Stdin: theirs, Stdout: c.said, Stderr: c.said,
		// A terminal's Ctrl-C is for the parent, which ends its children.
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true},
	}
	if err := c.cmd.Start(); err != nil {
		c.conn.Close()
		return nil, err
	}
	go func() {
		_ = c.cmd.Wait() // the state says it all
		close(c.done)
	}()
	return c, nil
}

// greet waits until the child says that it is confined.
func (c *child) greet(within time.Duration) (hello, error) {
	var h hello
	if err := c.conn.SetDeadline(time.Now().Add(within)); err != nil {
		return h, err
	}
	if err := unpack(c.conn, &h); err != nil {
		c.end()
		return h, fmt.Errorf("decoder does not start: %w (%s, %s)", err, c.cmd.ProcessState, clean(c.said.String()))
	}
	return h, nil
}

// dead tells whether it has ended by itself.
func (c *child) dead() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// end kills the child and returns when it has left nothing behind.
func (c *child) end() {
	_ = c.cmd.Process.Kill() // fails if it is dead, which is what is wanted
	<-c.done
	c.conn.Close()
}

// send hands over a request and the picture.
func (c *child) send(q request, picture *os.File) error {
	message, err := pack(q)
	if err != nil {
		return fmt.Errorf("%w: %w", errFailed, err)
	}
	raw, err := picture.SyscallConn()
	if err != nil {
		return fmt.Errorf("%w: %w", errFailed, err)
	}
	var n int
	// Control and not Fd, which would make the file's reads block a thread.
	cerr := raw.Control(func(fd uintptr) {
		n, _, err = c.conn.WriteMsgUnix(message, unix.UnixRights(int(fd)), nil)
	})
	if cerr != nil {
		return fmt.Errorf("%w: %w", errFailed, cerr)
	}
	if err == nil && n < len(message) {
		_, err = c.conn.Write(message[n:])
	}
	return err
}

// used is the CPU time of all its threads.
func (c *child) used() (time.Duration, error) {
	var t unix.Timespec
	// The clock of another process, see clock_getcpuclockid(3).
	err := unix.ClockGettime(int32(^c.cmd.Process.Pid<<3|2), &t)
	return time.Duration(t.Nano()), err
}

// allow gives the child some more CPU time, whatever it has used so far.
func (c *child) allow(cpu time.Duration) error {
	used, err := c.used()
	if err != nil {
		return err
	}
	var l unix.Rlimit
	if err := unix.Prlimit(c.cmd.Process.Pid, unix.RLIMIT_CPU, nil, &l); err != nil {
		return err
	}
	l.Cur = min(l.Max, uint64((used+cpu+time.Second-1)/time.Second)) // whole seconds, rounded up
	return unix.Prlimit(c.cmd.Process.Pid, unix.RLIMIT_CPU, &l, nil)
}

// resident is how much memory it holds, 0 if that cannot be known.
func (c *child) resident() int64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", c.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(stat)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}

// head keeps the beginning of what is written, where a crash says what it is.
type head struct {
	mu sync.Mutex
	b  []byte
}

const maxSaid = 4096

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.b = append(h.b, p[:min(len(p), maxSaid-len(h.b))]...)
	return len(p), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return string(h.b)
}

var errStopped = errors.New("decoders have stopped")
