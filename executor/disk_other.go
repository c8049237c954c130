//go:build !windows

package executor

import "syscall"

// noRoom are the errors of a disk that is full.
var noRoom = []error{syscall.ENOSPC, syscall.EDQUOT}
