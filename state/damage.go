package state

import (
	"bytes"
	"encoding/json"
	"strings"
)

// diagnose says what is wrong with a state file that could not be read, by what else is in it.
func diagnose(data []byte, bad *scanError, path string) error {
	// The version may stand behind something that this program does not understand.
	var file struct{ Version int }
	if json.Unmarshal(data, &file) == nil && file.Version > snapshotVersion {
		return &VersionError{Path: path, Version: file.Version, Supported: snapshotVersion}
	}
	var foreign struct {
		Terraform string `json:"terraform_version"`
	}
	if json.Unmarshal(data, &foreign) == nil && foreign.Terraform != "" {
		return &TerraformStateError{Path: path}
	}
	var left moved
	if json.Unmarshal(data, &left) == nil && left.To != "" {
		return &MovedError{Path: path, To: left.To}
	}
	damaged := &DamagedError{Path: path, Line: bad.line, Offset: bad.offset, Reason: bad.reason, Err: bad}
	damaged.Remedy = "Nothing was changed. Bring back an undamaged copy from version control or a backup, for example with:\n\n  git checkout -- " + path
	if len(data) == 0 {
		damaged.Line, damaged.Reason = 0, "it is empty"
	}
	if line := conflictLine(data); line > 0 {
		damaged.Line, damaged.Reason = line, "it has the markers of a merge conflict"
		damaged.Remedy = "Nothing was changed. Resolve the conflict, and run the same command again. You can keep the images of both sides, in any order, each address once."
	}
	return damaged
}

// conflictLine returns the line of the first conflict marker, 0 for none. No line of a state file
// begins like one.
func conflictLine(data []byte) int {
	number := 0
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimRight(string(line[:min(len(line), 16)]), "\r\n")
		for _, marker := range []string{"<<<<<<<", "|||||||", "=======", ">>>>>>>"} {
			if text == marker || strings.HasPrefix(text, marker+" ") {
				return number
			}
		}
	}
	return 0
}
