// Package gitrev reads files as they were at a revision, through the program git. A Revision is a
// commit, seen from a directory of its repository; paths are relative to that directory, with
// slashes. A pointer is what Git LFS keeps in the place of a large file.
//
// It knows files and nothing of what is in them. Nothing is written, neither to the repository nor
// to the working tree.
package gitrev

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// The reasons why a revision cannot be read.
var (
	ErrNoGit        = errors.New("the program git is not there")
	ErrNoRepository = errors.New("the directory is in no git repository")
	ErrUnknown      = errors.New("the repository has no such revision")
	// ErrShallow says that a revision is unknown in a clone that has a part of the history alone.
	ErrShallow = errors.New("the repository is a shallow clone, which does not have that revision")
)

// PointerError says that a file is under Git LFS and that this clone does not have its bytes.
type PointerError struct {
	Path string
	// OID is the SHA-256 of the file.
	OID string
}

func (e *PointerError) Error() string {
	return e.Path + " is under Git LFS, and this clone has only the pointer to it"
}

// Revision is a commit, seen from a directory. It is safe for concurrent use.
type Revision struct {
	ctx context.Context
	dir string
	// Commit is its full name.
	Commit string
	// prefix is the directory's path in the repository, with a slash at its end, "" for its root.
	prefix string
	// store is where Git LFS keeps its files.
	store string
	// files are those below the directory at that commit, by path.
	files map[string]blob
}

type blob struct {
	oid  string
	size int64
}

// Open finds a revision, as git names them, for the repository that dir is in.
func Open(ctx context.Context, dir, rev string) (*Revision, error) {
	r := &Revision{ctx: ctx, dir: dir}
	if _, err := exec.LookPath("git"); err != nil {
		return nil, ErrNoGit
	}
	prefix, err := r.git("rev-parse", "--show-prefix")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoRepository, err)
	}
	r.prefix = strings.TrimSuffix(string(prefix), "\n")
	commit, err := r.git("rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		if shallow, _ := r.git("rev-parse", "--is-shallow-repository"); strings.TrimSpace(string(shallow)) == "true" {
			return nil, ErrShallow
		}
		return nil, ErrUnknown
	}
	r.Commit = strings.TrimSpace(string(commit))
	if common, err := r.git("rev-parse", "--git-common-dir"); err == nil {
		r.store = strings.TrimSpace(string(common))
		if !filepath.IsAbs(r.store) {
			r.store = filepath.Join(dir, r.store)
		}
	}
	return r, r.list()
}

// git runs a command of git that only reads.
func (r *Revision) git(args ...string) ([]byte, error) {
	// Without optional locks it writes nothing, and without a monitor it starts no program that the
	// repository names.
	all := append([]string{"-C", r.dir, "--no-optional-locks", "-c", "core.fsmonitor=false"}, args...)
	cmd := exec.CommandContext(r.ctx, "git", all...) //nolint:gosec // a fixed program, and no argument that it could take for a flag
	// A partial clone would fetch what it lacks, and ask for a password.
	cmd.Env = append(os.Environ(), "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(errs.String()), "\n")
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, first)
	}
	return out.Bytes(), nil
}

// list reads which files there are below the directory.
func (r *Revision) list() error {
	args := []string{"ls-tree", "-r", "-z", "--long", "--full-tree", r.Commit}
	if r.prefix != "" {
		args = append(args, "--", strings.TrimSuffix(r.prefix, "/"))
	}
	out, err := r.git(args...)
	if err != nil {
		return err
	}
	r.files = map[string]blob{}
	for line := range strings.SplitSeq(string(out), "\x00") {
		about, name, ok := strings.Cut(line, "\t")
		fields := strings.Fields(about)
		if !ok || len(fields) != 4 || fields[1] != "blob" {
			continue // a submodule, or the end
		}
		size, err := strconv.ParseInt(fields[3], 10, 64)
		if rest, below := strings.CutPrefix(name, r.prefix); err == nil && below {
			r.files[rest] = blob{fields[2], size}
		}
	}
	return nil
}

// Has reports whether there is a file at a path.
func (r *Revision) Has(name string) bool {
	_, ok := r.files[path.Clean(name)]
	return ok
}

// maxPointer is how long the pointers of Git LFS are at most.
const maxPointer = 1024

// Open opens a file. The error wraps fs.ErrNotExist where there is none at that path, and is a
// PointerError where this clone does not have it.
func (r *Revision) Open(name string) (io.ReadCloser, error) {
	b, ok := r.files[path.Clean(name)]
	if !ok {
		return nil, fmt.Errorf("%s at %.12s: %w", name, r.Commit, fs.ErrNotExist)
	}
	data, err := r.git("cat-file", "blob", b.oid)
	if err != nil {
		return nil, err
	}
	oid, isPointer := pointer(data)
	if !isPointer {
		return io.NopCloser(bytes.NewReader(data)), nil
	}
	f, err := os.Open(filepath.Join(r.store, "lfs", "objects", oid[:2], oid[2:4], oid))
	if err != nil {
		return nil, &PointerError{Path: name, OID: oid}
	}
	return f, nil
}

// Missing says why a file cannot be had, nil where it can. It reads no more of it than it has to.
func (r *Revision) Missing(name string) error {
	b, ok := r.files[path.Clean(name)]
	if !ok {
		return fs.ErrNotExist
	}
	if b.size > maxPointer {
		return nil
	}
	f, err := r.Open(name)
	if err != nil {
		return err
	}
	return f.Close()
}

// pointer reads a pointer of Git LFS.
func pointer(data []byte) (oid string, ok bool) {
	if len(data) > maxPointer || !bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/spec/")) {
		return "", false
	}
	for line := range strings.Lines(string(data)) {
		if oid, ok := strings.CutPrefix(strings.TrimSpace(line), "oid sha256:"); ok && len(oid) == 64 && strings.Trim(oid, "0123456789abcdef") == "" {
			return oid, true
		}
	}
	return "", false
}
