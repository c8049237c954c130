package s3

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"
	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/config"
)

// objects are those under one prefix.
type objects struct {
	bucket *config.Bucket
	client *minio.Client
	// core is the same client, for what it does not do as we want it.
	core minio.Core
	sse  encrypt.ServerSide
	// partedFrom is the size from which objects are sent in parts of partSize.
	partedFrom, partSize int64
	now                  func() time.Time
}

// errTaken says that a condition of a write did not hold.
var errTaken = errors.New("the object is there, or is another one")

func openObjects(b *config.Bucket) (objects, error) {
	sse, err := encryption(b)
	if err != nil {
		return objects{}, err
	}
	client, err := connect(b)
	return objects{b, client, minio.Core{Client: client}, sse, partedFrom, partSize, time.Now}, err
}

func (o *objects) String() string { return "s3://" + o.bucket.Name + "/" + o.bucket.Prefix }

// root is what the names of all objects begin with.
func (o *objects) root() string {
	if o.bucket.Prefix == "" {
		return ""
	}
	return o.bucket.Prefix + "/"
}

func (o *objects) name(name string) string { return o.root() + name }

func (o *objects) address(name string) string { return "s3://" + o.bucket.Name + "/" + o.name(name) }

// create writes an object that is not there and returns its tag, and wraps errTaken where one is that
// has other bytes: a write whose answer was lost is repeated, and then finds its own.
func (o *objects) create(ctx context.Context, name string, data []byte) (tag string, err error) {
	tag, err = o.putNew(ctx, name, data)
	return o.own(ctx, name, data, tag, err)
}

// createLarge is create for an object whose name says what is in it.
func (o *objects) createLarge(ctx context.Context, name string, data []byte) (tag string, err error) {
	tag, err = o.sendNew(ctx, name, bytes.NewReader(data), int64(len(data)))
	return o.own(ctx, name, data, tag, err)
}

// own tells an object that this program has written itself from another one that is in its place.
func (o *objects) own(ctx context.Context, name string, data []byte, tag string, err error) (string, error) {
	if !errors.Is(err, errTaken) {
		return tag, err
	}
	there, theirs, getErr := o.read(ctx, name)
	if getErr == nil && bytes.Equal(there, data) {
		return theirs, nil
	}
	return "", err
}

// putNew writes an object that is not there, in one request.
func (o *objects) putNew(ctx context.Context, name string, data []byte) (tag string, err error) {
	var options minio.PutObjectOptions
	options.SetMatchETagExcept("*")
	return o.send(ctx, name, bytes.NewReader(data), int64(len(data)), options)
}

// replace writes an object in the place of the one with a tag, and returns the new one's.
func (o *objects) replace(ctx context.Context, name string, data []byte, tag string) (string, error) {
	var options minio.PutObjectOptions
	options.SetMatchETag(tag)
	return o.send(ctx, name, bytes.NewReader(data), int64(len(data)), options)
}

const contentType = "application/octet-stream"

// send writes an object in one request: it is there whole or not at all.
func (o *objects) send(ctx context.Context, name string, r io.ReaderAt, size int64, options minio.PutObjectOptions) (tag string, err error) {
	options.ServerSideEncryption, options.ContentType = o.sse, contentType
	options.SendContentMd5, options.DisableMultipart = true, true
	m := newMeter(ctx, o.address(name), true, size)
	if m != nil {
		options.Progress = progress{m}
	}
	info, err := o.client.PutObject(ctx, o.bucket.Name, o.name(name), io.NewSectionReader(r, 0, size), size, options)
	if err == nil {
		m.end()
	}
	return o.written(name, info, err)
}

// written says what became of a write.
func (o *objects) written(name string, info minio.UploadInfo, err error) (tag string, _ error) {
	switch code := minio.ToErrorResponse(err); {
	case err == nil:
		return info.ETag, nil
	case code.StatusCode == http.StatusPreconditionFailed, code.Code == "ConditionalRequestConflict":
		return "", fmt.Errorf("%s: %w", o.name(name), errTaken)
	}
	return "", o.explain("PutObject", name, err)
}

// read returns an object and its tag. The error wraps fs.ErrNotExist where there is none.
func (o *objects) read(ctx context.Context, name string) (data []byte, tag string, err error) {
	var all bytes.Buffer
	tag, err = o.fetch(ctx, name, &all)
	return all.Bytes(), tag, err
}

// download writes an object's bytes.
func (o *objects) download(ctx context.Context, name string, w io.Writer) error {
	_, err := o.fetch(ctx, name, w)
	return err
}

func (o *objects) exists(ctx context.Context, name string) (bool, error) {
	_, err := o.client.StatObject(ctx, o.bucket.Name, o.name(name), minio.StatObjectOptions{})
	err = o.explain("GetObject", name, err)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// list calls yield with the names of the objects that begin with prefix, sorted, those after one if
// it is not "", and with when each was put there.
func (o *objects) list(ctx context.Context, prefix, after string, yield func(name string, put time.Time) error) error {
	options := minio.ListObjectsOptions{Prefix: o.name(prefix), Recursive: true}
	if after != "" {
		options.StartAfter = o.name(after)
	}
	for object := range o.client.ListObjectsIter(ctx, o.bucket.Name, options) {
		if object.Err != nil {
			return o.explain("ListBucket", prefix, object.Err)
		}
		if err := yield(object.Key[len(o.root()):], object.LastModified); err != nil {
			return err
		}
	}
	return nil
}

// removeAll removes objects, many with one request. A store that does not know how to (Google's) is
// asked for one after the other.
func (o *objects) removeAll(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	all := make(chan minio.ObjectInfo, len(names))
	for _, name := range names {
		all <- minio.ObjectInfo{Key: o.name(name)}
	}
	close(all)
	var left []string
	for failed := range o.client.RemoveObjects(ctx, o.bucket.Name, all, minio.RemoveObjectsOptions{}) {
		if failed.ObjectName == "" {
			left = names
			continue
		}
		left = append(left, failed.ObjectName[len(o.root()):])
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxRemovals)
	for _, name := range left {
		group.Go(func() error { return o.remove(ctx, name) })
	}
	return group.Wait()
}

// maxRemovals is how many objects are removed at a time where the store takes one in a request.
const maxRemovals = 32

func (o *objects) remove(ctx context.Context, name string) error {
	err := o.client.RemoveObject(ctx, o.bucket.Name, o.name(name), minio.RemoveObjectOptions{})
	return o.explain("DeleteObject", name, err)
}

// explain says what an error means: what is not there, and which permission is missing.
func (o *objects) explain(action, name string, err error) error {
	if err == nil {
		return nil
	}
	response := minio.ToErrorResponse(err)
	where := o.address(name)
	switch {
	case response.Code == minio.NoSuchBucket:
		return fmt.Errorf("the bucket %s does not exist. Make it first, or correct its name", o.bucket.Name)
	case response.Code == minio.NoSuchKey:
		return fmt.Errorf("%s: %w", where, fs.ErrNotExist)
	case response.StatusCode == http.StatusForbidden && o.isAnonymous():
		return fmt.Errorf("%s: no credentials were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of the shared credentials file", where)
	case response.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%s: the permission s3:%s is missing, or the credentials are wrong (%s)", where, action, response.Message)
	}
	return fmt.Errorf("%s: %w", where, unreached(err))
}

// unreached says of a store that cannot be reached why, without what was asked of it.
func unreached(err error) error {
	call, ok := errors.AsType[*url.Error](err)
	if !ok {
		return err
	}
	text := "the store cannot be reached: %w"
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		text += ". Name the file of the certificates to trust in SSL_CERT_FILE"
	}
	return fmt.Errorf(text, call.Err)
}

func (o *objects) isAnonymous() bool {
	value, err := o.client.GetCreds()
	return err == nil && value.SignerType.IsAnonymous()
}
