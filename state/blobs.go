package state

import (
	"context"
	"io"
	"time"
)

// Blobs keeps images away from this machine, by the SHA-256 of their bytes: nothing in it ever
// changes, and whatever it returns is held against the hash by whoever asks. Beside an image lies
// its recipe, so that other states find it by the request that made it. It is safe for concurrent
// use.
type Blobs interface {
	// String is where the images are, for messages.
	String() string
	// List returns what is there. It may be behind.
	List(ctx context.Context) (*Listing, error)
	// Stat reports whether an image is there.
	Stat(ctx context.Context, sha256 string) (bool, error)
	// Put keeps an image of size bytes. It returns when the image is durable; one that is there
	// already is no error.
	Put(ctx context.Context, sha256 string, size int64, r io.ReaderAt) error
	// Get writes an image's bytes. The error wraps fs.ErrNotExist where it is not there.
	Get(ctx context.Context, sha256 string, w io.Writer) error
	// PutRecipe keeps the recipe of an image that is there, and Recipe returns it.
	PutRecipe(ctx context.Context, fingerprint, sha256 string, recipe []byte) error
	Recipe(ctx context.Context, fingerprint, sha256 string) ([]byte, error)
}

// Listing is what Blobs has: when each image was put there, by hash, and the hashes of those with a
// recipe by its fingerprint.
type Listing struct {
	Images  map[string]time.Time
	Recipes map[string][]string
}
