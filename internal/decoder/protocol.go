package decoder

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"picday/internal/photo"
	"picday/internal/qr"
	"picday/internal/rendition"
)

// A message is the length of a JSON value in four bytes, the most significant first,
// and the value. With a request comes one descriptor, sent along with its first
// byte. A reply is followed by the renditions that it lists, one behind the other.

// maxMessage is far above a request or reply with a hundred renditions.
const maxMessage = 1 << 20

// A request asks for the renditions of one picture.
type request struct {
	Facts  photo.Facts
	Limits photo.Limits
	Sizes  []rendition.Spec
	Codes  bool // look for QR codes too
}

// A reply has renditions or a refusal.
type reply struct {
	Meta       photo.Meta
	Renditions []piece
	Unusual    bool
	Codes      *qr.Found `json:",omitempty"`
	Refused    refused
	Why        string // the whole text of the error
}

type piece struct {
	Name                 string
	Width, Height, Bytes int
}

// refused is why a child made no renditions.
type refused string

const (
	asNotJPEG    refused = "not-jpeg"
	asIncomplete refused = "incomplete"
	asDamaged    refused = "damaged"
	asTooComplex refused = "too-complex"
	asFailed     refused = "failed" // the machine is at fault, not the picture
)

// kinds pairs what is sent with the error that it stands for, in the order in which they
// are tried.
var kinds = []struct {
	refused
	error
}{
	{asNotJPEG, photo.ErrNotJPEG},
	{asIncomplete, photo.ErrIncomplete},
	{asTooComplex, photo.ErrTooComplex},
	{asDamaged, photo.ErrDamaged},
}

func refusal(err error) reply {
	r := reply{Refused: asFailed, Why: err.Error()}
	for _, k := range kinds {
		if errors.Is(err, k.error) {
			r.Refused = k.refused
			break
		}
	}
	r.Why = r.Why[:min(len(r.Why), maxMessage/8)]
	return r
}

// A hello is the first message of a child. It is sent once the child is confined.
type hello struct {
	Landlock int  // version in force, 0 for none
	Profiles bool // see [photo.Profiles]
}

// pack makes a message of v.
func pack(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(body) > maxMessage {
		return nil, fmt.Errorf("message of %d bytes", len(body))
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...), nil
}

// unpack reads a message into v. It takes no more memory than has arrived.
func unpack(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := int64(binary.BigEndian.Uint32(head[:]))
	if n > maxMessage {
		return fmt.Errorf("%w: a message of %d bytes", errBadReply, n)
	}
	body, err := take(r, n)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%w: %w", errBadReply, err)
	}
	return nil
}

// take reads n bytes. Memory grows as they arrive, because n is only what the other side
// claims.
func take(r io.Reader, n int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(n, 1<<20)))
	got, err := b.ReadFrom(io.LimitReader(r, n))
	if err == nil && got < n {
		err = io.ErrUnexpectedEOF
	}
	return b.Bytes(), err
}
