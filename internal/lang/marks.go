package lang

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/ctymarks"
)

// secret is the type of the mark of values that are not to be shown.
type secret struct{}

// Sensitive is the mark of a value that is not to be shown.
var Sensitive = secret{}

// IsSensitive reports whether a value, or a part of it, must not be shown.
func IsSensitive(v cty.Value) bool { return v.HasMarkDeep(Sensitive) }

// otherMarks returns the marks of a value but that of what is sensitive, such as those that say
// where it comes from.
func otherMarks(v cty.Value) cty.ValueMarks {
	_, marks := v.UnmarkDeep()
	delete(marks, Sensitive)
	return marks
}

// OnlySensitive returns a value for messages, of whose marks only that of what is sensitive is
// left.
func OnlySensitive(v cty.Value) cty.Value {
	v, err := v.WrangleMarksDeep(func(mark any, _ cty.Path) (ctymarks.WrangleAction, error) {
		if mark == Sensitive {
			return ctymarks.WrangleKeep, nil
		}
		return ctymarks.WrangleDrop, nil
	})
	if err != nil {
		return cty.DynamicVal // The function above returns no error.
	}
	return v
}
