package packaging_test

import (
	"debug/buildinfo"
	"debug/elf"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// What make builds is as hard to take over as what the package installs.
func TestBothBuildsAreHardened(t *testing.T) {
	if os.Getenv("PICDAY_PACKAGE") == "" {
		t.Skip("builds everything anew: run make test-package")
	}
	t.Parallel()
	made, unpacked := t.TempDir(), t.TempDir()
	cmd := exec.Command("make", "build", "BIN="+made)
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	if out, err := exec.Command("dpkg-deb", "-x", build(t, "deb", shipped), unpacked).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
	for _, file := range []string{made + "/picday", made + "/picdayd", unpacked + "/usr/bin/picday", unpacked + "/usr/sbin/picdayd"} {
		hardened(t, file)
	}
}

func hardened(t *testing.T, file string) {
	t.Helper()
	f, err := elf.Open(file)
	must(t, err)
	defer f.Close()
	relro := slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_GNU_RELRO })
	stack := slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_GNU_STACK && p.Flags&elf.PF_X == 0 })
	flags, err := f.DynValue(elf.DT_FLAGS_1)
	must(t, err)
	var now, pie bool
	for _, v := range flags {
		now, pie = now || elf.DynFlag1(v)&elf.DF_1_NOW != 0, pie || elf.DynFlag1(v)&elf.DF_1_PIE != 0
	}
	symbols, err := f.ImportedSymbols()
	must(t, err)
	imports := func(end string) bool {
		return slices.ContainsFunc(symbols, func(s elf.ImportedSymbol) bool { return strings.HasSuffix(s.Name, end) })
	}
	info, err := buildinfo.ReadFile(file)
	must(t, err)
	trimmed := slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "-trimpath" && s.Value == "true" })
	for what, ok := range map[string]bool{
		"position-independent": f.Type == elf.ET_DYN && pie, "read-only relocations": relro, "no executable stack": stack, "bound at start": now,
		"fortified": imports("_chk"), "stack canaries": imports("__stack_chk_fail"), "without paths": trimmed,
	} {
		if !ok {
			t.Errorf("%s is not %s", file, what)
		}
	}
}
