package bfl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// The kinds of DownloadError, for errors.Is.
var (
	// ErrExpired is a sample whose URL has died, or never lived. Polling its task again may give a
	// fresh one.
	ErrExpired = errors.New("the image's URL has expired")
	// ErrTruncated is a download that ended too early.
	ErrTruncated = errors.New("the download is incomplete")
	// ErrTooLarge is a download that is longer than allowed.
	ErrTooLarge = errors.New("the image is too large")
	// ErrNotImage is a download that announces to be something else, such as a web page.
	ErrNotImage = errors.New("the download is not an image")
	// ErrEncoding is a download in an encoding that is not understood, though none was asked for.
	ErrEncoding = errors.New("the download is encoded")
)

// DownloadError is a sample that did not arrive.
type DownloadError struct {
	// Kind is one of the Err variables above.
	Kind error
	// Reason says more, as a clause.
	Reason string
	// Err is the cause, if there is one.
	Err error
}

func (e *DownloadError) Error() string { return e.Kind.Error() + ": " + e.Reason }

// Unwrap returns the kind and the cause.
func (e *DownloadError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// maxRedirects bounds how often a download is sent elsewhere.
const maxRedirects = 3

// Download writes a sample to w and returns how many bytes that were. It sends no key, and takes at
// most limit bytes. A download that comes encoded is decoded, and it is what is written that counts
// for the limit. Its errors are of types *DownloadError, *APIError for other answers than those,
// *NetworkError, *URLError and *RedirectError; an error of w comes back as it is. After an error w
// holds the beginning of something, or nothing.
func (c *Client) Download(ctx context.Context, sampleURL string, w io.Writer, limit int64) (int64, error) {
	resp, err := c.openSample(ctx, sampleURL)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }() // all that is wanted of it is read by then
	if err := c.checkSample(resp, limit); err != nil {
		return 0, err
	}
	arrived := &countingReader{r: resp.Body}
	content, err := decode(resp.Header.Values("Content-Encoding"), arrived)
	if err != nil {
		return 0, c.openError(ctx, resp, err)
	}
	n, err := c.copySample(ctx, w, resp, content, limit)
	if err == nil {
		// A decoder ends with its data, which is not where the body has to end.
		_, err = io.Copy(io.Discard, io.LimitReader(arrived, maxErrorBody))
		if err != nil {
			err = c.broken(ctx, resp, n, err)
		}
	}
	if err == nil && resp.ContentLength >= 0 && arrived.n != resp.ContentLength {
		err = &DownloadError{Kind: ErrTruncated, Reason: fmt.Sprintf("%d of %d bytes arrived", arrived.n, resp.ContentLength)}
	}
	return n, err
}

// openError returns what it means that a sample's content could not be opened.
func (c *Client) openError(ctx context.Context, resp *http.Response, err error) error {
	if _, ok := errors.AsType[*encodingError](err); ok {
		return &DownloadError{Kind: ErrEncoding, Reason: c.clean(err.Error())}
	}
	return c.broken(ctx, resp, 0, err)
}

// broken returns what it means that a sample could not be read further.
func (c *Client) broken(ctx context.Context, resp *http.Response, written int64, err error) error {
	if ctx.Err() != nil {
		return c.networkError(resp.Request.URL, err)
	}
	return &DownloadError{Kind: ErrTruncated, Reason: fmt.Sprintf("the connection broke after %d bytes", written), Err: err}
}

// countingReader counts the bytes as they arrive, before they are decoded.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// openSample asks for a sample and follows redirects.
func (c *Client) openSample(ctx context.Context, sampleURL string) (*http.Response, error) {
	u, err := url.Parse(sampleURL)
	if err != nil {
		return nil, &URLError{"", "it is not a valid URL"} // the parser's error would repeat the signature
	}
	for redirects := 0; ; redirects++ {
		if err := c.base.allowsDownload(u); err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, &URLError{u.Hostname(), "it is not a valid URL"}
		}
		req.Header.Set("Accept", "image/*")
		// The bytes are wanted as they are stored, whatever the transport would rather have.
		req.Header.Set("Accept-Encoding", "identity")
		resp, err := c.do(c.download, req)
		if err != nil {
			return nil, err
		}
		next := redirectTarget(u, resp)
		if next == nil {
			return resp, nil
		}
		_ = resp.Body.Close() // a redirect's body says nothing
		if redirects == maxRedirects {
			return nil, &RedirectError{StatusCode: resp.StatusCode, To: c.clean(next.Hostname())}
		}
		u = next
	}
}

// redirectTarget returns where an answer sends the call, or nil.
func redirectTarget(from *url.URL, resp *http.Response) *url.URL {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	to, err := from.Parse(resp.Header.Get("Location"))
	if err != nil || resp.Header.Get("Location") == "" {
		return nil
	}
	return to
}

// checkSample refuses answers that are no image before anything is written.
func (c *Client) checkSample(resp *http.Response, limit int64) error {
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return &DownloadError{Kind: ErrExpired, Reason: fmt.Sprintf("%s answered %s",
			resp.Request.URL.Hostname(), statusText(resp.StatusCode))}
	default:
		refusal := c.readAPIError(resp)
		refusal.who = resp.Request.URL.Hostname()
		return refusal
	}
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && isText(media) {
		reason := fmt.Sprintf("%s sent %s", resp.Request.URL.Hostname(), c.clean(media))
		return &DownloadError{Kind: ErrNotImage, Reason: reason}
	}
	if resp.ContentLength > limit && len(encodings(resp.Header.Values("Content-Encoding"))) == 0 {
		return tooLarge(limit)
	}
	return nil
}

func isText(media string) bool {
	switch media {
	case "application/json", "application/xml", "application/xhtml+xml":
		return true
	}
	return strings.HasPrefix(media, "text/")
}

func tooLarge(limit int64) error {
	return &DownloadError{Kind: ErrTooLarge, Reason: fmt.Sprintf("it is longer than %d bytes", limit)}
}

// buffers are held only while a download runs, so that tasks in flight cost no memory. They are
// large because each of them ends in a write to a file.
var buffers = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// copySample copies the content of the answer to w.
func (c *Client) copySample(ctx context.Context, w io.Writer, resp *http.Response, content io.Reader, limit int64) (int64, error) {
	buf := buffers.Get().(*[256 << 10]byte)
	defer buffers.Put(buf)
	var written int64
	for {
		n, err := content.Read(buf[:])
		if int64(n) > limit-written {
			return written, tooLarge(limit)
		}
		if n > 0 {
			m, err := w.Write(buf[:n])
			written += int64(m)
			if err != nil {
				return written, err
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return written, nil
		default:
			return written, c.broken(ctx, resp, written, err)
		}
	}
}
