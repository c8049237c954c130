package hugepage

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// What is expected comes in huge pages, where the system has them on request, and only more than
// was expected before is asked for.
func TestExpect(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux is asked")
	}
	if setting, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled"); err != nil || !strings.Contains(string(setting), "[madvise]") {
		t.Skip("huge pages cannot be asked for here")
	}
	if marked(t) > 0 {
		t.Fatal("there are huge pages that nobody expects")
	}
	Expect(least / 2)
	if marked(t) > 0 {
		t.Error("a little memory is asked for in huge pages")
	}
	Expect(2 * least)
	first := marked(t)
	if first == 0 {
		t.Fatal("much memory is not asked for in huge pages")
	}
	Expect(2*least + 1)
	if again := marked(t); again != first {
		t.Errorf("the same memory is asked for again: %d areas, and %d before", again, first)
	}
	b := make([]byte, least) // It is in that memory.
	b[len(b)-1] = 1
	runtime.KeepAlive(b)
	runtime.GC()
	before := resident(t)
	Expect(4 * least) // The heap has some of it.
	if more := resident(t) - before; more > least/2 {
		t.Errorf("what is expected takes %d bytes before anything is in it", more)
	}
}

// resident returns how many bytes of memory the process has.
func resident(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// marked counts the areas of memory that are to have huge pages.
func marked(t *testing.T) int {
	t.Helper()
	areas, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	n := 0
	for line := range strings.Lines(string(areas)) {
		if strings.HasPrefix(line, "VmFlags:") && strings.Contains(line, " hg") {
			n++
		}
	}
	return n
}
