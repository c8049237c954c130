package s3

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/state"
)

// Blobs is a state.Blobs in a bucket.
type Blobs struct{ objects objects }

var _ state.Blobs = (*Blobs)(nil)

// OpenBlobs returns the images in a bucket. It calls nobody.
func OpenBlobs(b *config.Bucket) (*Blobs, error) {
	o, err := openObjects(b)
	return &Blobs{o}, err
}

func (b *Blobs) String() string { return b.objects.String() }

const recipePrefix = "recipes/"

// List lists all objects.
func (b *Blobs) List(ctx context.Context) (*state.Listing, error) {
	listing := &state.Listing{Images: map[string]time.Time{}, Recipes: map[string][]string{}}
	err := b.objects.list(ctx, "", "", func(name string, put time.Time) error {
		rest, isRecipe := strings.CutPrefix(name, recipePrefix)
		if !isRecipe {
			listing.Images[name] = put
			return nil
		}
		fingerprint, sum, _ := strings.Cut(rest, "/")
		listing.Recipes[fingerprint] = append(listing.Recipes[fingerprint], sum)
		return nil
	})
	return listing, err
}

// Stat asks for an object's head.
func (b *Blobs) Stat(ctx context.Context, sha256 string) (bool, error) {
	return b.objects.exists(ctx, sha256)
}

// Put uploads an image. The store checks what arrives.
func (b *Blobs) Put(ctx context.Context, sha256 string, size int64, r io.ReaderAt) error {
	_, err := b.objects.sendNew(ctx, sha256, r, size)
	if errors.Is(err, errTaken) {
		return nil // Its name is the hash of its bytes.
	}
	return err
}

// Get downloads an image.
func (b *Blobs) Get(ctx context.Context, sha256 string, w io.Writer) error {
	return b.objects.download(ctx, sha256, w)
}

// PutRecipe writes a recipe. One that is there is as good.
func (b *Blobs) PutRecipe(ctx context.Context, fingerprint, sha256 string, recipe []byte) error {
	_, err := b.objects.create(ctx, recipePrefix+fingerprint+"/"+sha256, recipe)
	if errors.Is(err, errTaken) {
		return nil
	}
	return err
}

// Recipe reads a recipe.
func (b *Blobs) Recipe(ctx context.Context, fingerprint, sha256 string) ([]byte, error) {
	data, _, err := b.objects.read(ctx, recipePrefix+fingerprint+"/"+sha256)
	return data, err
}
