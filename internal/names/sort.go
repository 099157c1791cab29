package names

import (
	"cmp"
	"slices"
	"strings"
)

// Compare orders two names by their keys, and names with the same key by their bytes.
func Compare(a, b string) int {
	return cmp.Or(strings.Compare(Key(a), Key(b)), strings.Compare(a, b))
}

// Sort puts a list in the order of a name that each of its elements has.
func Sort[T any](list []T, name func(T) string) {
	SortPaths(list, func(x T) (string, string) { return name(x), "" })
}

// SortPaths puts a list in the order of accounts, and of an account's in that of their
// paths, folder by folder. It returns the list.
func SortPaths[T any](list []T, place func(T) (account, path string)) []T {
	type row struct {
		value         T
		key           string
		account, path string
	}
	rows := make([]row, len(list))
	for i, x := range list {
		account, path := place(x)
		var key strings.Builder
		key.WriteString(Key(account))
		for name := range strings.SplitSeq(path, "/") {
			key.WriteByte(0) // a folder before another one that begins with its name
			key.WriteString(Key(name))
		}
		rows[i] = row{x, key.String(), account, path}
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.account, b.account), strings.Compare(a.path, b.path))
	})
	for i, r := range rows {
		list[i] = r.value
	}
	return list
}
