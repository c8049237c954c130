package cli

import (
	"fmt"
	"os"
	"strings"
)

// readTargets reads the files that -target-file names: one selector a line, without empty lines and
// those that begin with #. A file without any is refused, since the plan would be one of all
// images.
func (o *planOptions) readTargets() error {
	o.Listed = nil
	for _, file := range o.targetFiles {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("-target-file %q cannot be read: %w", file, cause(err))
		}
		before := len(o.Listed)
		for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				o.Listed = append(o.Listed, line)
			}
		}
		if len(o.Listed) == before {
			return explain("-target-file %q lists nothing, so nothing would be planned.\nIt has one address, pattern, label.KEY=VALUE or path a line.", file)
		}
	}
	return nil
}
