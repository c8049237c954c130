package lang

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // A function of the language, not used to keep anything safe.
	"crypto/sha1" //nolint:gosec // As above.
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/fluxbatch/fluxbatch/internal/sourcefile"
)

// Digests, as text.
var (
	md5Hex       = digest(md5.New, hex.EncodeToString)
	sha1Hex      = digest(sha1.New, hex.EncodeToString)
	sha256Hex    = digest(sha256.New, hex.EncodeToString)
	sha512Hex    = digest(sha512.New, hex.EncodeToString)
	sha256Base64 = digest(sha256.New, plainBase64)
	sha512Base64 = digest(sha512.New, plainBase64)
	plainBase64  = base64.StdEncoding.EncodeToString
)

func digest(hash func() hash.Hash, encode func([]byte) string) func([]byte) string {
	return func(src []byte) string {
		h := hash()
		_, _ = h.Write(src) // never fails
		return encode(h.Sum(nil))
	}
}

// hashFunction makes a function of a string's bytes.
func hashFunction(digest func([]byte) string) function.Function {
	return simple(cty.String, func(args []cty.Value) (cty.Value, error) {
		return cty.StringVal(digest([]byte(args[0].AsString()))), nil
	}, param("text", cty.String))
}

// fileFunctions are the functions that read files. Paths are relative to the root module. A file is
// read once, so that everything sees it as it was at one time.
type fileFunctions struct {
	dir      string
	contents map[string][]byte
	// hashes are of what was read, listed or looked for.
	hashes map[FileUse]string
}

// FileUse is what a function wanted of a file, or of a folder.
type FileUse struct {
	// Function is "fileexists" or "fileset", "" where the content was read.
	Function string
	// Path is usable with package os, Pattern that of a fileset.
	Path, Pattern string
}

func (f *fileFunctions) path(name string) string {
	name = filepath.FromSlash(name)
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(f.dir, name)
}

func (f *fileFunctions) read(name string) ([]byte, error) {
	path := f.path(name)
	if src, ok := f.contents[path]; ok {
		return src, nil
	}
	src, err := sourcefile.Read(sourcefile.Named(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, function.NewArgErrorf(0,
			`there is no file %q. Paths are relative to the root module. For a file of this module, write `+
				`"${path.module}/..."`,
			name)
	case err != nil:
		return nil, function.NewArgErrorf(0, "the file %q cannot be read: %s", name, sourcefile.Reason(err))
	}
	f.contents[path] = src
	f.hashes[FileUse{Path: path}] = sha256Hex(src)
	return src, nil
}

// readText reads a file that must be text. Like a heredoc, it is the same text whatever its lines
// end with.
func (f *fileFunctions) readText(name string) (string, error) {
	src, err := f.read(name)
	if err != nil {
		return "", err
	}
	if wrong := sourcefile.NotUTF8(src); wrong != "" {
		return "", function.NewArgErrorf(0, "%q: %s", name, wrong)
	}
	if !utf8.Valid(src) {
		return "", function.NewArgErrorf(0,
			"the file %q is not UTF-8 text. Use filebase64 or filesha256 for any file", name)
	}
	src = bytes.TrimPrefix(src, []byte(sourcefile.ByteOrderMark))
	text := unsafe.String(unsafe.SliceData(src), len(src)) //nolint:gosec // Nobody writes to what was read.
	return strings.ReplaceAll(text, "\r\n", "\n"), nil
}

func (f *fileFunctions) text() function.Function {
	return simple(cty.String, func(args []cty.Value) (cty.Value, error) {
		text, err := f.readText(args[0].AsString())
		return cty.StringVal(text), err
	}, param("path", cty.String))
}

func (f *fileFunctions) hash(digest func([]byte) string) function.Function {
	return simple(cty.String, func(args []cty.Value) (cty.Value, error) {
		src, err := f.read(args[0].AsString())
		return cty.StringVal(digest(src)), err
	}, param("path", cty.String))
}

func (f *fileFunctions) exists() function.Function {
	return simple(cty.Bool, func(args []cty.Value) (cty.Value, error) {
		path := f.path(args[0].AsString())
		info, err := os.Stat(sourcefile.Named(path))
		f.hashes[FileUse{Function: "fileexists", Path: path}] = strconv.FormatBool(err == nil)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return cty.False, nil
		case err != nil:
			return cty.NilVal, function.NewArgErrorf(0, "%s", sourcefile.Reason(err))
		case !info.Mode().IsRegular():
			return cty.NilVal, function.NewArgErrorf(0, "%q is not a regular file", args[0].AsString())
		}
		return cty.True, nil
	}, param("path", cty.String))
}

// set lists the files below a folder that match a pattern.
func (f *fileFunctions) set() function.Function {
	return simple(cty.Set(cty.String), func(args []cty.Value) (cty.Value, error) {
		dir, pattern := f.path(args[0].AsString()), args[1].AsString()
		files, err := sourcefile.List(dir, pattern)
		if err != nil {
			return cty.NilVal, err
		}
		f.hashes[FileUse{"fileset", dir, pattern}] = sha256Hex(fmt.Appendf(nil, "%q", files))
		if len(files) == 0 {
			return cty.SetValEmpty(cty.String), nil
		}
		values := make([]cty.Value, len(files))
		for i, file := range files {
			values[i] = cty.StringVal(file)
		}
		return cty.SetVal(values), nil
	}, param("path", cty.String), param("pattern", cty.String))
}

func (f *fileFunctions) abspath() function.Function {
	return simple(cty.String, func(args []cty.Value) (cty.Value, error) {
		abs, err := filepath.Abs(f.path(args[0].AsString()))
		return cty.StringVal(filepath.ToSlash(abs)), err
	}, param("path", cty.String))
}
