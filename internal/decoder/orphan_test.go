package decoder

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"picday/internal/photo"
	testphoto "picday/internal/test/photo"
)

// doomed is a parent that will be killed while its child hangs.
func doomed() {
	p := New(Options{Workers: 1, Time: time.Hour, Memory: 256 << 20})
	go func() { _ = p.Run(context.Background()) }()
	<-p.Ready()
	c := p.idle.children[0]
	fmt.Println(c.cmd.Process.Pid)
	var s photo.Scan
	_, _ = s.Write(testphoto.Tiny(1))
	_, _, err := p.Render(context.Background(), "acme", os.Stdin, s.Facts(), trick("sleep"))
	fmt.Println("not reached:", err)
	os.Exit(1)
}

// A daemon that is killed leaves no child, however busy.
func TestOrphan(t *testing.T) {
	f, _ := file(t, testphoto.Tiny(1))
	cmd := exec.Command("/proc/self/exe", "doomed")
	cmd.Stdin = f
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // it hangs by now
	kill(t, cmd.Process.Pid)
	_ = cmd.Wait()
	for range 3000 {
		// Dead, and with its new parent: a zombie until that one looks.
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil || strings.Contains(string(b), "State:\tZ") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the child lives on")
}
