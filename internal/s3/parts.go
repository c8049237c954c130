package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
)

// Large objects are sent in parts, several at a time: a connection that breaks costs one part. They
// are one object, or none, from the moment at which the upload is completed, and it is that request
// which carries the condition. Only objects whose name says what is in them go in parts, images and
// snapshots: a store that ignored the condition there would write the same again. What two runs
// could write differently, a batch of the log and the lock, is one request however large it is.
const (
	partedFrom = 64 << 20
	partSize   = 16 << 20
	// maxParts is how many parts of an object are sent at once.
	maxParts = 4
	// abortTimeout bounds the tidying of an upload that failed.
	abortTimeout = 10 * time.Second
	// deadAfter is the age of an upload that nobody goes on with. It is long, since it is the
	// store's clock that says when one began.
	deadAfter = 48 * time.Hour
)

// sendNew writes an object that is not there, whose name says what is in it.
func (o *objects) sendNew(ctx context.Context, name string, r io.ReaderAt, size int64) (tag string, err error) {
	var options minio.PutObjectOptions
	options.SetMatchETagExcept("*")
	if size < o.partedFrom {
		return o.send(ctx, name, r, size, options)
	}
	return o.sendParts(ctx, name, r, size, options)
}

func (o *objects) sendParts(ctx context.Context, name string, r io.ReaderAt, size int64, options minio.PutObjectOptions) (tag string, err error) {
	o.sweep(ctx)
	begin := minio.PutObjectOptions{ServerSideEncryption: o.sse, ContentType: contentType}
	id, err := o.core.NewMultipartUpload(ctx, o.bucket.Name, o.name(name), begin)
	if err != nil {
		return "", o.explain("PutObject", name, err)
	}
	defer func() {
		if err == nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
		defer cancel()
		// Where this fails, sweep does it days later, or a rule of the bucket.
		_ = o.core.AbortMultipartUpload(ctx, o.bucket.Name, o.name(name), id)
	}()
	m := newMeter(ctx, o.address(name), true, size)
	parts, err := o.sendEach(ctx, name, id, r, size, m)
	if err != nil {
		return "", o.explain("PutObject", name, err)
	}
	tag, err = o.assemble(ctx, name, id, parts, options)
	if err == nil {
		m.end()
	}
	return tag, err
}

// sendEach sends all parts, and returns them in their order.
func (o *objects) sendEach(ctx context.Context, name, id string, r io.ReaderAt, size int64, m *meter) ([]minio.CompletePart, error) {
	parts := make([]minio.CompletePart, (size+o.partSize-1)/o.partSize)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxParts)
	for i := range parts {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			offset := int64(i) * o.partSize
			length := min(o.partSize, size-offset)
			hash := sha256.New()
			if _, err := io.Copy(hash, io.NewSectionReader(r, offset, length)); err != nil {
				return err
			}
			// The store checks the hash, which is signed.
			part, err := o.core.PutObjectPart(ctx, o.bucket.Name, o.name(name), id, i+1, m.section(r, offset, length), length,
				minio.PutObjectPartOptions{Sha256Hex: hex.EncodeToString(hash.Sum(nil)), DisableContentSha256: true})
			parts[i] = minio.CompletePart{PartNumber: i + 1, ETag: part.ETag}
			return err
		})
	}
	return parts, group.Wait()
}

// assemble makes one object of the parts.
func (o *objects) assemble(ctx context.Context, name, id string, parts []minio.CompletePart, options minio.PutObjectOptions) (tag string, err error) {
	info, err := o.core.CompleteMultipartUpload(ctx, o.bucket.Name, o.name(name), id, parts, options)
	if minio.ToErrorResponse(err).StatusCode == http.StatusNotImplemented {
		// Some stores know the condition with single requests alone. What would be there has the
		// same bytes.
		info, err = o.core.CompleteMultipartUpload(ctx, o.bucket.Name, o.name(name), id, parts, minio.PutObjectOptions{})
	}
	if minio.ToErrorResponse(err).Code == minio.NoSuchUpload {
		// It was completed before, by a request whose answer was lost, unless somebody removed it.
		isThere, statErr := o.exists(ctx, name)
		if isThere {
			return "", fmt.Errorf("%s: %w", o.name(name), errTaken)
		}
		return "", errors.Join(o.explain("PutObject", name, err), statErr)
	}
	return o.written(name, info, err)
}

// ours are the names of objects that are sent in parts.
var ours = lazyregexp.New(`^([0-9a-f]{64}|` + snapshotPrefix + `[0-9]{20})$`)

// sweep removes the parts of uploads whose program died days ago, for which the store takes money
// and which nobody sees. Who may not, or where the store cannot, leaves them there.
func (o *objects) sweep(ctx context.Context) {
	found, err := o.core.ListMultipartUploads(ctx, o.bucket.Name, o.root(), "", "", "", 0)
	if err != nil {
		return
	}
	for _, upload := range found.Uploads {
		if name, isBelow := strings.CutPrefix(upload.Key, o.root()); isBelow && ours().MatchString(name) && o.now().Sub(upload.Initiated) > deadAfter {
			_ = o.core.AbortMultipartUpload(ctx, o.bucket.Name, upload.Key, upload.UploadID)
		}
	}
}
