package cli

import (
	"fmt"
	"os"
	"strings"
)

// isLimited reports whether the plan is one of some images only.
func (o *planOptions) isLimited() bool { return len(o.targets)+len(o.listed)+len(o.excludes) > 0 }

// readTargets reads the files that -target-file names: one selector a line, without empty lines and those that begin with #. A file without any is refused,
// since the plan would be one of all images.
func (o *planOptions) readTargets() error {
	o.listed = nil
	for _, file := range o.targetFiles {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("-target-file: %s cannot be read: %w", file, cause(err))
		}
		before := len(o.listed)
		for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				o.listed = append(o.listed, line)
			}
		}
		if len(o.listed) == before {
			return explain("-target-file: %s lists nothing, so that nothing would be planned.\nIt has one address, pattern, label.KEY=VALUE or path a line.", file)
		}
	}
	return nil
}
