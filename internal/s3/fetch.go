package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/minio/minio-go/v7"
)

const (
	// maxObject bounds what is read of one object: a state of a million images has 700 MB.
	maxObject = 4 << 30
	// maxReserved bounds what is reserved because the store says that an object is so large.
	maxReserved = 1 << 30
	// maxBroken is how many connections may break in a row with nothing read.
	maxBroken = 3
)

// fetch writes an object's bytes, and returns its tag. A connection that breaks is gone on with where
// it broke. The error wraps fs.ErrNotExist where there is no object.
func (o *objects) fetch(ctx context.Context, name string, w io.Writer) (tag string, err error) {
	to := &arriving{to: w}
	var done int64
	for broken := 0; ; {
		n, size, nowTag, err := o.fetchFrom(ctx, name, to, done, tag)
		if tag == "" {
			tag = nowTag
		}
		done += n
		switch {
		case err == nil && done < size:
			return "", o.explain("GetObject", name, io.ErrUnexpectedEOF) // larger than anything that is kept
		case err == nil:
			to.meter.end()
			return tag, nil
		case n > 0:
			broken = 0
		default:
			broken++
		}
		if size == 0 || to.failed != nil || ctx.Err() != nil || broken == maxBroken {
			return "", o.explain("GetObject", name, err)
		}
	}
}

// fetchFrom writes an object's bytes from one on, if its tag is still the same. size is that of the
// whole object, 0 where the store did not answer.
func (o *objects) fetchFrom(ctx context.Context, name string, to *arriving, from int64, tag string) (n, size int64, nowTag string, err error) {
	var options minio.GetObjectOptions
	if from > 0 {
		if err := errors.Join(options.SetRange(from, 0), options.SetMatchETag(tag)); err != nil {
			return 0, 0, "", err
		}
	}
	body, info, header, err := o.core.GetObject(ctx, o.bucket.Name, o.name(name), options)
	if err != nil {
		return 0, 0, "", err
	}
	defer func() { _ = body.Close() }() // it was read from
	if from > 0 && header.Get("Content-Range") == "" {
		return 0, 0, "", fmt.Errorf("the connection broke after %d bytes, and the store does not go on from there", from)
	}
	if to.meter == nil {
		to.meter = newMeter(ctx, o.address(name), false, info.Size)
	}
	if buffer, ok := to.to.(*bytes.Buffer); ok && from == 0 {
		buffer.Grow(int(min(max(info.Size, 0), maxReserved)) + bytes.MinRead)
	}
	n, err = io.Copy(to, io.LimitReader(body, maxObject-from))
	return n, from + info.Size, info.ETag, err
}
