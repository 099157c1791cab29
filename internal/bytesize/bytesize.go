// Package bytesize writes numbers of bytes for people.
package bytesize

import "fmt"

// Format writes bytes in decimal units, as cameras, file managers and sellers of
// disks do: 7.2 MB is 7,200,000 bytes.
func Format(n int64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB", "PB"}
	f, i := float64(n), 0
	for ; f >= 999.5 && i < len(units)-1; i++ {
		f /= 1000
	}
	if i == 0 || f >= 99.5 {
		return fmt.Sprintf("%.0f %s", f, units[i])
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}
