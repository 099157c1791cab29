package test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"picday/internal/test/bed"
)

// The power is cut while photos are uploaded, taken and moved. Uploads and data are on one
// file system in an image; a reflink copy of the image while it is in use has all that the
// file system has sent to its disk at that moment. On each copy picdayd starts: everything
// that it had answered before the cut is published under the same link, and uploads,
// catalogue and files agree.
func TestAPowerCutLosesNothing(t *testing.T) {
	if os.Getenv("PICDAY_TORTURE") == "" {
		t.Skip("takes half an hour: PICDAY_TORTURE=1")
	}
	cuts := 100
	if n, err := strconv.Atoi(os.Getenv("PICDAY_CUTS")); err == nil {
		cuts = n
	}
	for _, kind := range []string{"ext4", "xfs", "btrfs"} {
		t.Run(kind, func(t *testing.T) {
			c := newCutSite(t, kind)
			u := c.jobs("power", "job1")
			wire := u.ByKey().MustWire()
			c.must(wire.Mkdir("/job1/A"))
			var answered []map[string]bed.Photo // before each cut, by link
			stop, stopped := make(chan struct{}), make(chan struct{})
			var uploaded int
			go func() {
				defer close(stopped)
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					name := fmt.Sprintf("/job1/A/%d.jpg", i)
					if err := wire.Put(name, photo()); err != nil {
						t.Error(err)
						return
					}
					if uploaded++; i%5 == 4 {
						if err := wire.PosixRename(name, fmt.Sprintf("/job1/A/renamed-%d.jpg", i)); err != nil {
							t.Error(err)
							return
						}
					}
					time.Sleep(20 * time.Millisecond)
				}
			}()
			c.Eventually("photos are published", func() (bool, any) { n := len(c.photos(u)); return n > 20, n })
			for n := range cuts {
				time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond) // any moment
				links := map[string]bed.Photo{}
				for _, p := range c.photos(u) {
					links[p.Link] = p
				}
				answered = append(answered, links)
				c.cut(n)
			}
			close(stop)
			<-stopped
			wire.Cut()
			c.daemon.Kill()
			c.detach()
			for n, links := range answered {
				c.attach(c.copyName(n))
				c.daemon = c.StartDaemon()
				c.rescan()
				now := map[string]bed.Photo{}
				for _, p := range c.photos(u) {
					now[p.Link] = p
				}
				for link, was := range links {
					if p := now[link]; p.SHA256 != was.SHA256 {
						t.Errorf("cut %d: %s had been published with %.12s, and is with %.12q", n, was.Path, was.SHA256, p.SHA256)
					}
				}
				c.verify()
				c.daemon.Kill()
				c.detach()
				c.must(os.Remove(c.copyName(n)))
			}
			t.Logf("%d photos uploaded, %d answered before the last cut", uploaded, len(answered[cuts-1]))
			if len(answered[cuts-1]) < 20 {
				t.Error("hardly anything was published: this test cannot see")
			}
		})
	}
}

// A cutSite has uploads and data on one file system in an image, which is on an XFS.
type cutSite struct {
	*site
	outer, inner string
}

func newCutSite(t *testing.T, kind string) *cutSite {
	t.Helper()
	c := &cutSite{site: &site{World: bed.New(t), t: t}}
	c.outer, c.inner = c.Dir+"/outer", c.Dir+"/inner"
	for _, dir := range []string{c.outer, c.inner, c.Uploads, c.Data} {
		c.must(os.Mkdir(dir, 0o755))
	}
	c.Attach(c.MakeDisk("xfs"), c.outer)
	image := c.MakeDiskIn(c.outer, kind, 400<<20)
	c.must(os.Rename(image, c.copyName(-1)))
	c.attach(c.copyName(-1))
	c.init()
	c.daemon = c.StartDaemon()
	return c
}

// copyName is the image of a cut, -1 is the one in use.
func (c *cutSite) copyName(n int) string { return fmt.Sprintf("%s/%d.img", c.outer, n) }

func (c *cutSite) cut(n int) {
	c.t.Helper()
	if out, err := exec.Command("cp", "--reflink=always", c.copyName(-1), c.copyName(n)).CombinedOutput(); err != nil {
		c.t.Fatalf("%v: %s", err, out)
	}
}

func (c *cutSite) attach(image string) {
	c.t.Helper()
	c.Attach(image, c.inner)
	for _, dir := range []string{"up", "data"} {
		if err := os.Mkdir(c.inner+"/"+dir, 0o755); err != nil && !os.IsExist(err) {
			c.t.Fatal(err)
		}
	}
	c.Bind(c.inner+"/up", c.Uploads)
	c.Bind(c.inner+"/data", c.Data)
}

// detach returns when the file system is no longer mounted anywhere: a copy of a btrfs cannot
// be mounted beside it.
func (c *cutSite) detach() {
	c.t.Helper()
	for _, dir := range []string{c.Data, c.Uploads} {
		c.Unmount(dir)
	}
	c.Eventually("the file system is unmounted", func() (bool, any) {
		err := syscall.Unmount(c.inner, 0)
		return err == nil, err
	})
	c.Eventually("its loop device is free", func() (bool, any) {
		out, err := exec.Command("losetup", "-a").CombinedOutput()
		return err == nil && !strings.Contains(string(out), c.outer+"/"), string(out)
	})
}
