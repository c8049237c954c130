package state

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// What users read when something is wrong.
func TestMessages(t *testing.T) {
	t.Parallel()
	const path, journal = "fluxbatch.state.json", "fluxbatch.state.json.journal"
	some := []addrs.Image{nth(0), nth(1)}
	many := append(some, nth(2), nth(3), nth(4))
	holder := LockInfo{ID: "1b4e28ba", Operation: "apply", Who: "eve@build-3", PID: 4711, Created: time.Date(2026, 2, 3, 4, 5, 6, 0, time.Local)}
	_, damagedSnapshot := Parse([]byte("{\n  \"version\": 1,\n"), path)
	_, damagedJournal := readJournal(strings.NewReader(string(appendLine(nil, []byte(`{"version":1,"lineage":"x"}`)))+"x\nx\n"), journal, nil)
	_, conflict := Parse([]byte("{\n<<<<<<< HEAD\n"), path)
	var text strings.Builder
	for _, err := range []error{
		&VersionError{Path: path, Version: 2, Supported: 1},
		damagedSnapshot, damagedJournal, conflict,
		&StaleJournalError{Path: path, Journal: journal, Lineages: true},
		&StaleJournalError{Path: path, Journal: journal, Missing: true},
		&StaleJournalError{Path: path, Journal: journal, Addresses: some},
		&StaleJournalError{Path: path, Journal: journal, Addresses: many},
		&LockedError{Path: path, Holder: holder},
		&LockedError{Path: path, Waited: 90 * time.Second},
		&UnlockError{Holder: holder, Given: "another"},
		&UnlockError{Holder: holder, Running: true},
		&CommitError{Path: path, Journal: journal, Err: syscall.ENOSPC},
		&CommitError{Path: path, Journal: journal, Err: syscall.ENOSPC, Unsaved: some},
		&CommitError{Path: path, Journal: journal, Err: syscall.EACCES, Written: true},
		&CommitError{Path: path, Journal: journal, Err: ErrLockLost},
		&CommitError{Path: path, Journal: journal, Err: ErrChanged},
		&RecordError{Address: nth(0), Reason: "it has no open task"},
		&BlobError{SHA256: testHash(1), Path: blobName(testHash(1))},
		&BlobError{SHA256: testHash(1), Path: "s3://art/blobs/" + testHash(1), Shared: true},
		&BlobError{SHA256: testHash(1), Path: blobName(testHash(1)), Err: syscall.EIO},
		&BlobError{SHA256: testHash(1), Shared: true, Err: errors.New("s3://art/blobs/" + testHash(1) + ": We encountered an internal error.")},
	} {
		fmt.Fprintf(&text, "%T:\n%v\n\n", err, err)
	}
	golden(t, "messages.txt", text.String())
}
