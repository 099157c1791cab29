package bed

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

// jail makes a chrooted account as picday does, but without picday.
func (w *World) jail(word string) *Uploader {
	w.T.Helper()
	u := &Uploader{w: w, Name: w.Name(word), Key: w.NewKey("key-" + word)}
	u.Card.Password = "trustno1 " + word
	for _, args := range [][]string{
		{"useradd", "--no-create-home", "--home-dir", "/", "--shell", "/usr/sbin/nologin", u.Name},
		{"sh", "-c", "echo '" + u.Name + ":" + u.Card.Password + "' | chpasswd"},
		{"install", "-d", "-m", "0755", w.Uploads, u.Dir(), w.Keys},
		{"install", "-d", "-m", "0755", "-o", u.Name, u.Dir() + "/job1"},
		{"cp", u.Key + ".pub", w.Keys + "/" + u.Name},
	} {
		if out := run(exec.Command(args[0], args[1:]...)); out.Err != nil {
			w.T.Fatal(out.Err)
		}
	}
	w.DropIn(u.Name+".conf", fmt.Sprintf("Match User %s\nChrootDirectory %s\nForceCommand internal-sftp\nAuthorizedKeysFile %s/%%u\n", u.Name, u.Dir(), w.Keys))
	w.Reload()
	return u
}

func TestEveryClientGetsIn(t *testing.T) {
	t.Parallel()
	w := New(t)
	anna := w.jail("anna")
	logins := map[string]Login{"key": anna.ByKey(), "password": anna.ByPassword()}
	want := bytes.Repeat([]byte("a photo "), 20_000)
	local := w.Local("a photo.jpg", want)
	for _, c := range Clients() {
		for how, login := range logins {
			t.Run(c.Name+" by "+how, func(t *testing.T) {
				Need(t, c.Program, c.Package)
				check(t, anna, c, login, local, want)
			})
		}
	}
}

// check uploads a file, overwrites it, renames it and deletes it.
func check(t *testing.T, u *Uploader, c Client, l Login, local string, want []byte) {
	const remote, renamed = "/job1/my photo.jpg", "/job1/renamed ü.jpg"
	for range 2 {
		if out := c.Put(l, local, remote); out.Err != nil {
			t.Fatal(out.Err)
		}
	}
	got, err := os.ReadFile(u.Dir() + remote)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("arrived: %d bytes, %v", len(got), err)
	}
	if c.Rename == nil {
		return
	}
	if out := c.Rename(l, remote, renamed); out.Err != nil {
		t.Fatal(out.Err)
	}
	if out := c.Remove(l, renamed); out.Err != nil {
		t.Fatal(out.Err)
	}
	for _, path := range []string{remote, remote + ".filepart", renamed} {
		if _, err := os.Lstat(u.Dir() + path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
}

func TestTreesArrive(t *testing.T) {
	t.Parallel()
	w := New(t)
	anna := w.jail("anna")
	for i, c := range Clients() {
		t.Run(c.Name, func(t *testing.T) {
			Need(t, c.Program, c.Package)
			album := fmt.Sprintf("Class %d", i)
			w.Local(album+"/1.jpg", []byte("one"))
			w.Local(album+"/group/2 a.jpg", []byte("two"))
			if out := c.PutTree(anna.ByKey(), w.Dir+"/local/"+album, "/job1"); out.Err != nil {
				t.Fatal(out.Err)
			}
			got, err := os.ReadFile(anna.Dir() + "/job1/" + album + "/group/2 a.jpg")
			if string(got) != "two" {
				t.Errorf("group/2 a.jpg: %q, %v", got, err)
			}
		})
	}
}

func TestCutAndResumed(t *testing.T) {
	t.Parallel()
	w := New(t)
	anna := w.jail("anna")
	want := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	local := w.Local("long.jpg", want)
	for _, c := range Clients() {
		if c.Resume == nil {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			Need(t, c.Program, c.Package)
			remote := fmt.Sprintf("/job1/%d.jpg", w.clients.Add(1))
			line := w.Line(1 << 20)
			done := make(chan Out)
			go func() { done <- c.Put(anna.ByPassword().Via(line), local, remote) }()
			Eventually(t, "half of it is there", func() (bool, any) {
				size := sizeOf(anna.Dir()+remote, anna.Dir()+remote+".filepart")
				return size > 300_000, size
			})
			line.Cut()
			if out := <-done; out.Err == nil {
				t.Fatal("the client did not notice that its line was cut")
			}
			if out := c.Resume(anna.ByPassword(), local, remote); out.Err != nil {
				t.Fatal(out.Err)
			}
			if got, err := os.ReadFile(anna.Dir() + remote); !bytes.Equal(got, want) {
				t.Errorf("after resuming: %d of %d bytes, %v", len(got), len(want), err)
			}
		})
	}
}

func sizeOf(paths ...string) (size int64) {
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			size = max(size, info.Size())
		}
	}
	return size
}
