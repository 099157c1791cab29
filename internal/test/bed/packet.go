package bed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Packet types of draft-ietf-secsh-filexfer-02.
const (
	fxInit, fxVersion                           = 1, 2
	fxOpen, fxClose, fxWrite                    = 3, 4, 6
	fxSetstat, fxFsetstat, fxOpendir, fxReaddir = 9, 10, 11, 12
	fxRemove, fxMkdir, fxRmdir, fxRealpath      = 13, 14, 15, 16
	fxStat, fxRename, fxSymlink, fxExtended     = 17, 18, 20, 200
	fxStatus, fxHandle                          = 101, 102
)

// call sends one request and reads its answer; a status other than OK is an
// error.
func (s *Wire) call(kind byte, body packet) (byte, []byte, error) {
	s.nextID++
	if err := s.send(append(packet{kind}.u32(s.nextID), body...)); err != nil {
		return 0, nil, err
	}
	kind, answer, err := s.receive()
	if err != nil {
		return 0, nil, err
	}
	if len(answer) < 4 || binary.BigEndian.Uint32(answer) != s.nextID {
		return 0, nil, errors.New("the answer to another request")
	}
	answer = answer[4:]
	if kind == fxStatus && len(answer) >= 4 {
		switch code := binary.BigEndian.Uint32(answer); code {
		case 0:
		case 1:
			return kind, nil, io.EOF
		default:
			message, _ := cut(answer[4:])
			return kind, nil, fmt.Errorf("sftp status %d: %s", code, message)
		}
	}
	return kind, answer, nil
}

func (s *Wire) send(p packet) error {
	_, err := s.in.Write(append(packet{}.u32(uint32(len(p))), p...))
	return err
}

func (s *Wire) receive() (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(s.out, head[:]); err != nil {
		return 0, nil, fmt.Errorf("connection ended: %w", err)
	}
	body = make([]byte, binary.BigEndian.Uint32(head[:])-1)
	_, err = io.ReadFull(s.out, body)
	return head[4], body, err
}

// packet is an SFTP packet being written.
type packet []byte

func (p packet) u32(v uint32) packet { return binary.BigEndian.AppendUint32(p, v) }
func (p packet) u64(v uint64) packet { return binary.BigEndian.AppendUint64(p, v) }
func (p packet) str(s string) packet { return append(p.u32(uint32(len(s))), s...) }

// cut takes a length-prefixed string off the front.
func cut(body []byte) (string, []byte) {
	if len(body) < 4 {
		return "", nil
	}
	n := int(binary.BigEndian.Uint32(body))
	if n > len(body)-4 {
		return "", nil
	}
	return string(body[4 : 4+n]), body[4+n:]
}

// entries are the file names of one fxName packet.
func entries(body []byte) (names []string) {
	count := binary.BigEndian.Uint32(body)
	body = body[4:]
	for range count {
		var name string
		name, body = cut(body)
		_, body = cut(body)
		body = skipAttrs(body)
		if name != "." && name != ".." {
			names = append(names, name)
		}
	}
	return names
}

func skipAttrs(body []byte) []byte {
	flags, n := binary.BigEndian.Uint32(body), 4
	for bit, size := range map[uint32]int{1: 8, 2: 8, 4: 4, 8: 8} {
		if flags&bit != 0 {
			n += size
		}
	}
	return body[n:]
}
