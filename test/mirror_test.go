package test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// mirrorCmd starts picday mirror; args are further flags.
func (s *site) mirrorCmd(dir, token string, args ...string) *exec.Cmd {
	s.t.Helper()
	file := filepath.Join(s.Dir, "token")
	s.must(os.WriteFile(file, []byte(token+"\n"), 0o600))
	cmd := s.PicdayCmd(append([]string{"mirror", "http://" + s.Admin, dir, "--token-file", file}, args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	s.must(cmd.Start())
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if s.t.Failed() && said.Len() > 0 {
			s.t.Logf("picday mirror said\n%s", said.Bytes())
		}
	})
	return cmd
}

// mirrorContents is what a reader finds in a mirror: the hash of each picture.
func (s *site) mirrorContents(dir string) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return all
	}
	s.must(err)
	for _, e := range entries {
		if e.Name() == ".picday-mirror" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if os.IsNotExist(err) {
			continue // removed since the directory was read
		}
		s.must(err)
		if !strings.HasSuffix(e.Name(), ".jpg") || !bytes.HasPrefix(text, []byte("\xff\xd8\xff")) || !bytes.HasSuffix(text, []byte("\xff\xd9")) {
			s.t.Errorf("a reader sees %s, with %d bytes and no whole picture in it", e.Name(), len(text))
		}
		sum := sha256.Sum256(text)
		all[e.Name()] = hex.EncodeToString(sum[:])
	}
	return all
}

// apiContents is what the API says that a mirror has to have.
func (s *site) apiContents(token string) map[string]string {
	s.t.Helper()
	var answer struct{ Photos []bed.Photo }
	if code := s.api(token, "/photos?limit=1000", &answer); code != 200 {
		s.t.Fatal(code)
	}
	all := map[string]string{}
	for _, p := range answer.Photos {
		name := p.Person
		if name == "" {
			name = fmt.Sprint(p.ID)
		}
		all[name+".jpg"] = p.Renditions[0].SHA256
	}
	return all
}

func (s *site) waitMirror(dir, token string) {
	s.t.Helper()
	s.Eventually("the mirror is what the API lists", func() (bool, any) {
		has, want := s.mirrorContents(dir), s.apiContents(token)
		return fmt.Sprint(has) == fmt.Sprint(want), fmt.Sprint("has ", shorten(keys(has)), " listed ", shorten(keys(want)))
	})
}

// A till has the pictures of an account in a directory, and never one for longer than it
// is published.
func TestAMirror(t *testing.T) {
	s := newSite(t)
	u, studio := s.portraits("school"), s.jobs("studio", "job1")
	token, all := s.token("till", "--account", u.Name), s.token("all")
	dir := filepath.Join(s.Dir, "mirror")
	wire := u.ByKey().MustWire()
	s.must(wire.Put(pictures(u)+"12.jpg", photo()))
	cmd := s.mirrorCmd(dir, token)
	s.Eventually("the picture is in the mirror", func() (bool, any) { has := s.mirrorContents(dir); return len(has) == 1, has })
	s.waitMirror(dir, token)
	s.must(wire.Put(pictures(u)+"13.jpg", photo()))
	s.Eventually("so is the next one", func() (bool, any) { has := s.mirrorContents(dir); return len(has) == 2, has })
	s.must(wire.Remove(pictures(u) + "12.jpg"))
	s.Eventually("the one that was deleted is gone", func() (bool, any) { has := s.mirrorContents(dir); return has["12.jpg"] == "", has })
	s.MustPicday("link", "rotate", u.Name, "13")
	s.must(wire.Rename(pictures(u)+"13.jpg", pictures(u)+"14.jpg"))
	s.Eventually("a renamed one is another person's", func() (bool, any) {
		has := s.mirrorContents(dir)
		return has["14.jpg"] != "" && has["13.jpg"] == "", has
	})
	s.waitMirror(dir, token)

	s.daemon.Stop(syscall.SIGTERM)
	s.daemon = s.StartDaemon()
	s.must(wire.Put(pictures(u)+"15.jpg", photo()))
	s.Eventually("it goes on when picdayd does", func() (bool, any) { has := s.mirrorContents(dir); return has["15.jpg"] != "", has })
	s.must(cmd.Process.Signal(syscall.SIGTERM))
	s.must(cmd.Wait()) // exit status 0

	// A token of all accounts needs --account. A studio's photos are named by their ids.
	file := filepath.Join(s.Dir, "all.token")
	s.must(os.WriteFile(file, []byte(all), 0o600))
	jobs := filepath.Join(s.Dir, "jobs")
	if r := s.Picday("mirror", "http://"+s.Admin, jobs, "--token-file", file, "--once"); r.Code != 2 || !strings.Contains(r.Stderr, studio.Name) {
		t.Error(r)
	}
	if r := s.Picday("mirror", "http://"+s.Admin, jobs, "--token-file", file, "--once", "--account", "nobody"); r.Code != 3 {
		t.Error(r)
	}
	if r := s.Picday("mirror", "http://"+s.Admin, dir, "--token-file", file, "--once", "--account", studio.Name); r.Code != 4 {
		t.Error(r)
	}
	s.must(studio.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(studio, "/job1/A/x.jpg")
	s.MustPicday("mirror", "http://"+s.Admin, jobs, "--token-file", file, "--once", "--account", studio.Name, "--rendition", "large")
	if has, want := s.mirrorContents(jobs), s.apiContents(s.token("studio", "--account", studio.Name)); fmt.Sprint(has) != fmt.Sprint(want) || len(has) != 1 {
		t.Errorf("the mirror of the studio has %v, listed is %v", has, want)
	}
}

// However often a mirror is killed while photos change, whoever reads the directory sees
// whole pictures only, and in the end it is what the API lists.
func TestAMirrorThatIsKilled(t *testing.T) {
	s := newSite(t)
	u := s.portraits("school")
	token := s.token("till", "--account", u.Name)
	dir := filepath.Join(s.Dir, "mirror")
	var shots [][]byte
	for i := range 6 {
		shots = append(shots, testphoto.Make(testphoto.Spec{Width: 900, Height: 700, Seed: uint64(i)}))
	}
	var over atomic.Bool
	var group sync.WaitGroup
	finish := sync.OnceFunc(func() { over.Store(true); group.Wait() })
	t.Cleanup(finish)
	var changes, reads atomic.Int64
	group.Go(func() {
		wire := u.ByKey().MustWire()
		rnd := rand.New(rand.NewPCG(1, 11))
		for n := 0; !over.Load(); n++ {
			person := func() string { return pictures(u) + fmt.Sprint(rnd.IntN(25)) + ".jpg" }
			switch k := rnd.IntN(20); {
			case k < 12:
				_ = wire.Put(person(), testphoto.Vary(shots[rnd.IntN(len(shots))], n))
			case k < 15:
				_ = wire.Remove(person()) // there may be none
			case k < 18:
				_ = wire.Rename(person(), person())
			default:
				_ = s.Picday("link", "rotate", u.Name, fmt.Sprint(rnd.IntN(25)))
			}
			changes.Add(1)
			time.Sleep(time.Duration(rnd.IntN(60)) * time.Millisecond)
		}
	})
	group.Go(func() {
		for !over.Load() {
			s.mirrorContents(dir)
			reads.Add(1)
			time.Sleep(5 * time.Millisecond)
		}
	})
	rnd := rand.New(rand.NewPCG(2, 11))
	kills := 40
	if os.Getenv("PICDAY_TORTURE") != "" {
		kills = 400
	}
	for n := 0; n < kills || changes.Load() < 100 || reads.Load() < 100; n++ {
		cmd := s.mirrorCmd(dir, token)
		time.Sleep(time.Duration(20+rnd.IntN(400)) * time.Millisecond)
		s.must(cmd.Process.Kill())
		_ = cmd.Wait()
	}
	finish()
	t.Logf("%d changes, %d looks at the directory", changes.Load(), reads.Load())
	s.rescan()
	s.mirrorCmd(dir, token)
	s.waitMirror(dir, token)
}
