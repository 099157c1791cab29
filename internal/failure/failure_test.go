package failure

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestKinds(t *testing.T) {
	wrong, no := Usagef("%s: %w", "x", fs.ErrNotExist), Refusalf("%s: %w", "x", fs.ErrNotExist)
	for _, c := range []struct {
		err            error
		usage, refusal bool
	}{
		{wrong, true, false},
		{no, false, true},
		{fmt.Errorf("again: %w", wrong), true, false},
		{errors.Join(no, nil), false, true},
		{Usage(fs.ErrNotExist), true, false},
		{Refusal(fs.ErrNotExist), false, true},
		{fs.ErrNotExist, false, false},
		{nil, false, false},
	} {
		if IsUsage(c.err) != c.usage || IsRefusal(c.err) != c.refusal || c.err != nil && !errors.Is(c.err, fs.ErrNotExist) {
			t.Errorf("%v", c.err)
		}
	}
	if wrong.Error() != "x: file does not exist" {
		t.Error(wrong)
	}
}
