package simulator

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Samples lie at /delivery/<task>/sample.<extension>, with the query of a signed URL of Azure's
// blob storage: se is when it ends, sp what it allows (reading), sig the signature over both and
// the path.
const samplePrefix = "/delivery/"

// sign returns an HMAC over parts as text for URLs.
func (s *Simulator) sign(parts ...string) string {
	mac := hmac.New(sha256.New, s.secret[:])
	for _, part := range parts {
		// A hash takes everything.
		_, _ = fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// equal compares secrets in constant time.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// samplePath returns the path of a task's sample.
func samplePath(t *task) string {
	return samplePrefix + t.id + "/sample." + strings.Replace(t.order.format(), "jpeg", "jpg", 1)
}

// sampleURL returns a task's sample, signed.
func (s *Simulator) sampleURL(t *task) string {
	path, end := samplePath(t), t.expires(s.opts.SampleLifetime).UTC().Format(time.RFC3339)
	query := url.Values{"se": {end}, "sp": {"r"}, "sig": {s.sign("sample", path, end, "r")}}
	return defaultTo(s.opts.DeliveryURL, t.base) + path + "?" + query.Encode()
}

// SetDelivery makes every request for a sample be answered with an HTTP status such as 403, 404 or
// 410, whatever its task and its signature, until the next call. With 0 samples are delivered
// again, those too that were refused meanwhile, as long as they have not expired.
func (s *Simulator) SetDelivery(status int) { s.closed.Store(int32(status)) } //nolint:gosec // of three digits

// deliver answers a request for a sample. Its errors are Azure's: XML, 403 for signatures that are
// wrong or over.
func (s *Simulator) deliver(w http.ResponseWriter, r *http.Request) *problem {
	if r.Header.Get("X-Key") != "" {
		s.books.count(func(stats *Stats) { stats.KeysAtDelivery++ })
	}
	if status := int(s.closed.Load()); status != 0 {
		blobError(w, status, "AuthenticationFailed", "The simulator was told to deliver nothing.")
		return nil
	}
	t := s.signed(w, r)
	if t == nil {
		return nil
	}
	end := r.URL.Query().Get("se")
	data, err := s.shelf.picture(t)
	switch {
	case errors.Is(err, errGone):
		expired(w, end)
		return nil
	case err != nil:
		blobError(w, http.StatusInternalServerError, "InternalError", "The simulator could not draw the picture: "+err.Error())
		return nil
	}
	w.Header().Set("Content-Type", "image/"+t.order.format())
	if fault := s.faults.on(Download, s, t); fault != nil {
		switch fault.Effect {
		case EffectExpired:
			expired(w, end)
			return nil
		case EffectCorrupt:
			data = damaged(data)
		case EffectTruncated:
			cutShort(w, data)
			return nil
		default:
			if done, p := s.suffer(fault, w, r, nil); done {
				return p
			}
		}
	}
	s.serve(w, r, t, data)
	return nil
}

// signed returns the task whose sample a URL is signed for, or answers why there is none.
func (s *Simulator) signed(w http.ResponseWriter, r *http.Request) *task {
	query := r.URL.Query()
	end := query.Get("se")
	if !equal(query.Get("sig"), s.sign("sample", r.URL.Path, end, query.Get("sp"))) {
		blobError(w, http.StatusForbidden, "AuthenticationFailed", "Signature did not match.")
		return nil
	}
	expires, err := time.Parse(time.RFC3339, end)
	if err != nil || !s.opts.Now().Before(expires) {
		expired(w, end)
		return nil
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, samplePrefix), "/")
	t := s.find(id)
	if t == nil {
		blobError(w, http.StatusNotFound, "BlobNotFound", "The specified blob does not exist.")
	}
	return t
}

// serve sends a picture, or the range of it that is asked for.
func (s *Simulator) serve(w http.ResponseWriter, r *http.Request, t *task, data []byte) {
	w.Header().Set("Etag", `"`+t.id+`"`)
	sent := &sentWriter{ResponseWriter: w}
	http.ServeContent(sent, r, "", t.ready, bytes.NewReader(data))
	if sent.n != int64(len(data)) {
		return
	}
	s.shelf.downloaded(t)
	s.books.count(func(stats *Stats) {
		stats.Downloads++
		stats.DownloadedBytes += sent.n
	})
}

// sentWriter counts the bytes of a body.
type sentWriter struct {
	http.ResponseWriter
	n int64
}

func (w *sentWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.n += int64(n)
	return n, err
}

// damaged returns a copy of a file with some bytes in its middle changed. Its length and its head
// stay right.
func damaged(data []byte) []byte {
	data = bytes.Clone(data)
	for i := len(data) / 2; i < min(len(data)/2+16, len(data)); i++ {
		data[i] ^= 0x5a
	}
	return data
}

func expired(w http.ResponseWriter, end string) {
	blobError(w, http.StatusForbidden, "AuthenticationFailed",
		"Signature not valid in the specified time frame: Expiry ["+end+"].")
}

// blobError answers as Azure's blob storage does.
func blobError(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("X-Ms-Error-Code", code)
	w.WriteHeader(status)
	var escaped bytes.Buffer
	// A buffer takes everything.
	_ = xml.EscapeText(&escaped, []byte(text))
	// A client that went away does not need the answer.
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="utf-8"?><Error><Code>%s</Code><Message>%s</Message></Error>`,
		code, escaped.Bytes())
}
