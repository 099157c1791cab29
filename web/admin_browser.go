package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"time"
)

// A browser in which an operator has logged in keeps a second cookie, which
// outlives the session. It opens nothing: it only says that whoever tries a
// password here has had the right one before, so that what strangers try with
// the operator's name does not keep him out.

// BrowserKeyPurpose is what Admin.BrowserKey is derived for.
const BrowserKeyPurpose = "known browser"

const (
	browserLife   = 180 * 24 * time.Hour // since the last log-in
	browserIDSize = 16
)

// browserMAC signs what a cookie says for one operator.
func (g *gate) browserMAC(said []byte, name string) []byte {
	mac := hmac.New(sha256.New, g.BrowserKey)
	mac.Write([]byte{byte(len(said))}) // where the name begins
	mac.Write(said)
	mac.Write([]byte(name))
	return mac.Sum(nil)
}

// browserCookie is a name of its own for each operator: two of them may share
// a browser.
func (g *gate) browserCookie(r *http.Request, name string) string {
	return cookieName(r) + "-browser-" + hex.EncodeToString(g.browserMAC(nil, name)[:4])
}

// meet marks a browser as one in which the operator has logged in.
func (g *gate) meet(w http.ResponseWriter, r *http.Request, name string) {
	said := make([]byte, browserIDSize, browserIDSize+8+sha256.Size)
	rand.Read(said) // never fails, says its documentation
	said = binary.BigEndian.AppendUint64(said, uint64(time.Now().Unix()))
	said = append(said, g.browserMAC(said, name)...)
	setCookie(w, r, &http.Cookie{
		Name: g.browserCookie(r, name), Value: base64.RawURLEncoding.EncodeToString(said), SameSite: http.SameSiteStrictMode,
	}, browserLife)
}

// knownBrowser is the id of a browser in which the operator has logged in, ""
// for any other.
func (g *gate) knownBrowser(r *http.Request, name string) string {
	c, err := r.Cookie(g.browserCookie(r, name))
	if err != nil {
		return ""
	}
	said, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || len(said) != browserIDSize+8+sha256.Size {
		return ""
	}
	said, mac := said[:browserIDSize+8], said[browserIDSize+8:]
	if !hmac.Equal(mac, g.browserMAC(said, name)) {
		return ""
	}
	if met := time.Unix(int64(binary.BigEndian.Uint64(said[browserIDSize:])), 0); time.Since(met) > browserLife {
		return ""
	}
	return string(said[:browserIDSize])
}
