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

// A browser in which an operator has logged in keeps a second cookie, which outlives the
// session. It gives no access. It only proves that the right password was entered in this
// browser before, so that failed tries of others with the same name do not lock it out.

// BrowserKeyPurpose is what Admin.BrowserKey is derived for.
const BrowserKeyPurpose = "known browser"

const (
	browserLife   = 180 * 24 * time.Hour // since the last log-in
	browserIDSize = 16
)

// browserMAC signs the content of a cookie for one operator.
func (g *gate) browserMAC(said []byte, name string) []byte {
	mac := hmac.New(sha256.New, g.BrowserKey)
	mac.Write([]byte{byte(len(said))}) // so that content and name cannot be shifted
	mac.Write(said)
	mac.Write([]byte(name))
	return mac.Sum(nil)
}

// browserCookie is the name of the cookie. It differs by operator: two of them may share a
// browser.
func (g *gate) browserCookie(r *http.Request, name string) string {
	return cookieName(r) + "-browser-" + hex.EncodeToString(g.browserMAC(nil, name)[:4])
}

// rememberBrowser marks a browser as one in which the operator has logged in.
func (g *gate) rememberBrowser(w http.ResponseWriter, r *http.Request, name string) {
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
