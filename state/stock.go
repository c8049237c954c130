package state

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// Kept is a file of the store.
type Kept struct {
	SHA256 string
	// Path is relative like File.Path.
	Path  string
	Bytes int64
	// Since is when the store took it.
	Since time.Time
	// Address is the image that it was last of, the zero address where no recipe tells.
	Address addrs.Image
	// Cost is what was paid for it, zero where no recipe tells.
	Cost bfl.Credits
	// Task is the id of the task that made it, "" where no recipe tells.
	Task string
	// Edited says that somebody changed the file by hand, so that no money can buy it again.
	Edited bool
}

// Stock lists all files of the store, in the order of their hashes.
func (s *Store) Stock() ([]Kept, error) {
	recipes, err := s.recipes.bySum()
	if err != nil {
		return nil, fmt.Errorf("reading the store: %w", err)
	}
	folders, err := s.root.ReadDir(storeDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the store: %w", err)
	}
	var all []Kept
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		files, err := s.root.ReadDir(path.Join(storeDir, folder.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading the store: %w", err)
		}
		for _, file := range files {
			info, err := file.Info()
			if err != nil || !isHash(file.Name()) {
				continue // A leftover, or one that another run has just taken.
			}
			kept := Kept{SHA256: file.Name(), Path: blobName(file.Name()), Bytes: info.Size(), Since: info.ModTime()}
			if r := recipes[kept.SHA256]; r != nil {
				kept.Address, kept.Cost, kept.Edited = r.Address, r.Image.Result.Cost, r.Fingerprint == ""
				kept.Task = r.Image.Result.TaskID
			}
			all = append(all, kept)
		}
	}
	return all, nil
}

// Discard removes a file of the store. Its recipe stays, and History tells that the file is gone.
func (s *Store) Discard(sum string) error {
	if !isHash(sum) {
		return fmt.Errorf("discarding %q: it is not a SHA-256", sum)
	}
	return s.root.Remove(blobName(sum))
}

// bySum returns the last recipe of each file.
func (r *recipes) bySum() (map[string]*recipe, error) {
	f, err := r.root.Open(recipesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]*recipe{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer closeRead(f)
	all := map[string]*recipe{}
	in := bufio.NewReaderSize(f, 256<<10)
	var line []byte
	for {
		line, err = readLine(in, line[:0])
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if len(line) == 0 {
			return all, nil
		}
		if rec, err := decodeRecipe(line); err == nil {
			all[rec.SHA256] = rec
		}
	}
}

// Former is an image that was put into the store.
type Former struct {
	Address addrs.Image
	Image   *Image
	// Edited says that somebody changed the file by hand.
	Edited bool
}

// ReadFormer returns the images that were ever put into the store of a directory, by the hashes of their
// files, whether or not these are still there. It takes no lock.
func ReadFormer(root *safefile.Dir) (map[string]Former, error) {
	all, err := (&recipes{root: root}).bySum()
	if err != nil {
		return nil, fmt.Errorf("reading the store: %w", err)
	}
	former := make(map[string]Former, len(all))
	for sum, r := range all {
		former[sum] = Former{r.Address, r.Image, r.Fingerprint == ""}
	}
	return former, nil
}

// StorePath returns where the store has a file, relative like File.Path.
func StorePath(sum string) string { return blobName(sum) }
