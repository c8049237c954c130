package hugepage

import "syscall"

const supported = true

// advise asks for huge pages for a piece of memory. An error says that the system has none.
func advise(b []byte) { _ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) }
