package workspace

import (
	"crypto/rand"
	"io"
	"path/filepath"
	"runtime"

	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// secretFile is in the user's directory for caches, away from all projects, which people share.
const secretFile = "fluxbatch.secret"

const secretSize = 32

// secret returns what this machine's user alone knows, and makes it the first time; nil where it
// can be kept nowhere. When it is lost, only caches are. Folders that are not there yet are for the user
// alone, as XDG's specification of base directories asks for.
func (e *Environment) secret() []byte {
	at := e.cacheDir()
	if !filepath.IsAbs(at) {
		return nil
	}
	dir, err := safefile.OpenAll(at, 0o700)
	if err != nil {
		return nil
	}
	defer func() { _ = dir.Close() }() // What was written is durable, or is made again.
	if known, err := dir.ReadFile(secretFile, secretSize); err == nil && len(known) == secretSize {
		return known
	}
	fresh := make([]byte, secretSize)
	// crypto/rand.Read never returns an error; it ends the program where there is no randomness.
	_, _ = rand.Read(fresh)
	err = dir.WriteFile(secretFile, 0o600, func(w io.Writer) error {
		_, err := w.Write(fresh)
		return err
	})
	if err != nil {
		return nil
	}
	return fresh
}

// cacheDir is the user's directory for caches, as os.UserCacheDir has it, by the workspace's
// environment; "" or a relative path where that names none.
func (e *Environment) cacheDir() string {
	home := e.Getenv("HOME")
	switch runtime.GOOS {
	case "windows":
		return e.Getenv("LocalAppData")
	case "darwin":
		return filepath.Join(home, "Library", "Caches")
	}
	if dir := e.Getenv("XDG_CACHE_HOME"); dir != "" {
		return dir
	}
	return filepath.Join(home, ".cache")
}
