package executor

import "syscall"

// noRoom are the errors of a disk that is full: also ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL and
// ERROR_DISK_QUOTA_EXCEEDED.
var noRoom = []error{syscall.ENOSPC, syscall.EDQUOT, syscall.Errno(39), syscall.Errno(112), syscall.Errno(1295)}
