// Package sourcefile finds and reads the files that a configuration consists of or names.
//
// The texts of a configuration are in Unicode's composed form, whatever they were typed in, while
// the name of a file keeps the form in which it was made; a name here means the file whose name is
// the same characters. What is read is bounded, and is a regular file unless the command line names
// it. The errors are worded for a sentence that names the file.
package sourcefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// maxSource bounds a file, so that a mistaken name such as that of a disk image does not fill the
// memory.
const maxSource = 1 << 30

// ByteOrderMark is what some programs begin a text with to say that it is UTF-8. It is no part of
// the text.
const ByteOrderMark = "\ufeff"

var errTooLarge = fmt.Errorf("it is larger than %d MB", maxSource>>20)

// Read reads a file that a folder has in it or a configuration names. To read anything else could
// go on for ever.
func Read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	}
	return ReadStream(path)
}

// ReadStream reads a file that the command line names, which may also be a pipe or a device.
func ReadStream(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // It is only read from, so closing cannot lose anything.
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("it is a directory")
	case info.Size() > maxSource:
		return nil, errTooLarge
	}
	src := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead)) // A file is read without growing.
	_, err = src.ReadFrom(io.LimitReader(file, maxSource+1))
	if src.Len() > maxSource {
		return nil, errTooLarge
	}
	return src.Bytes(), err
}

// Reason words an error of Read, ReadStream or package os without the operation and path, which the
// message around it tells already.
func Reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "it does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	}
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}
