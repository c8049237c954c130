package executor

import "syscall"

// otherDisk is the error of giving a file a name on another disk, ERROR_NOT_SAME_DEVICE.
const otherDisk = syscall.Errno(17)

// noRoom are the errors of a disk that is full: also ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL and
// ERROR_DISK_QUOTA_EXCEEDED.
var noRoom = []error{syscall.ENOSPC, syscall.EDQUOT, syscall.Errno(39), syscall.Errno(112), syscall.Errno(1295)}
