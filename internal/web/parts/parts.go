// Package parts is what all pages have in common: colours in light and dark, type, controls, and how
// a picture and the words below it are shown. It knows nothing of what a page is about.
package parts

import _ "embed" // the style

// CSS is the style of the parts. A page's own comes after it.
//
//go:embed parts.css
var CSS string
