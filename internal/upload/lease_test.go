package upload

import (
	"os"
	"testing"
)

func TestHeld(t *testing.T) {
	path := t.TempDir() + "/x"
	writer, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if held, err := Held(reader); !held || err != nil {
		t.Errorf("open for writing: %v, %v", held, err)
	}
	writer.Close()
	if held, err := Held(reader); held || err != nil {
		t.Errorf("closed: %v, %v", held, err)
	}
	proc, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer proc.Close()
	if held, err := Held(proc); held {
		t.Errorf("proc: %v, %v", held, err)
	}
}
