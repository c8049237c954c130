//go:build !windows

package executor

import "syscall"

// otherDisk is the error of giving a file a name on another disk.
const otherDisk = syscall.EXDEV

// noRoom are the errors of a disk that is full.
var noRoom = []error{syscall.ENOSPC, syscall.EDQUOT}
