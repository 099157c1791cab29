package bytesize

import "testing"

func TestFormat(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 7_234_567: "7.2 MB", 99_950_000: "100 MB", 999_600_000: "1.0 GB",
		1_500_000_000_000: "1.5 TB", 9_223_372_036_854_775_807: "9223 PB",
	} {
		if got := Format(n); got != want {
			t.Errorf("%d: %q, not %q", n, got, want)
		}
	}
}
