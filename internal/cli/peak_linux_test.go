package cli_test

import (
	"os"
	"syscall"
)

// peakMemory returns the most memory that a process held, in bytes; Linux counts in units of 1024.
func peakMemory(p *os.ProcessState) int64 {
	if usage, ok := p.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss * 1024
	}
	return 0
}
