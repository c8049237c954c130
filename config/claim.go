package config

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
)

// outputPaths are the files that images are to be written to. Two images must not share one, also
// where a file system does not tell capital letters from small ones.
type outputPaths struct {
	outputDir string
	byPath    map[string]claim // by path in lower case
	folders   map[string]claim // folders on the way to a file, in lower case
	// spelt has the paths that have capital letters, by path in lower case.
	spelt map[string]string
	// patterns have the files of large blocks, which are not in byPath. least is how many instances
	// make a block a large one.
	patterns []*pattern
	least    int
}

// claim is a file that something is written to: the nth of its maker's. There are as many as there
// are images, which is why a claim does not hold on to its image.
type claim struct {
	by *maker
	n  int
}

// maker is what has files written: the instances of an image block in one scope, a rendition of each
// of them, or one thing of another kind.
type maker struct {
	// at is where the files are named.
	at *hcl.Range
	// block is the address that the instances have but for their keys, and expansion the instances;
	// nil where it is no image block. rendition is the name of the rendition, "" for the images
	// themselves.
	block     addrs.Image
	expansion *expansion
	rendition string
	// name is the address of what is made where it is no image block.
	name string
	// begun says that there was a first file, and pattern is what the files have in common, nil where
	// there is no such; see outputPaths.begin.
	begun   bool
	pattern *pattern
}

// image returns the image that is written, or that the rendition is made from. It reports false for
// what else is made here.
func (c claim) image() (addrs.Image, bool) {
	if c.by.expansion == nil {
		return addrs.Image{}, false
	}
	addr := c.by.block
	addr.Key = c.by.expansion.at(c.n).key
	return addr, true
}

// address names what is written.
func (c claim) address() string {
	addr, isImage := c.image()
	switch {
	case !isImage:
		return c.by.name
	case c.by.rendition != "":
		return addrs.Rendition{Of: addr, Name: c.by.rendition}.String()
	default:
		return addr.String()
	}
}

// reserve makes room for the paths of n more images, so that a large map is not moved each time
// that it doubles.
func (p *outputPaths) reserve(n int) {
	if n <= len(p.byPath) {
		return
	}
	larger := make(map[string]claim, len(p.byPath)+n)
	maps.Copy(larger, p.byPath)
	p.byPath = larger
}

// begin takes in the first file of a maker's: where it has many, they are a pattern, or need room.
func (p *outputPaths) begin(own claim, file string) {
	own.by.begun = true
	if own.by.expansion == nil || own.by.expansion.len() < p.least {
		return
	}
	if len(p.patterns) < mostPatterns {
		own.by.pattern = patternOf(own, file)
	}
	if own.by.pattern == nil {
		p.reserve(own.by.expansion.len())
		return
	}
	p.patterns = append(p.patterns, own.by.pattern)
}

// claimed returns who has a file written, by its path in lower case. Of a pattern that the caller
// knows not to have it, it asks nothing.
func (p *outputPaths) claimed(file string, except *pattern) (claim, bool) {
	if first, taken := p.byPath[file]; taken {
		return first, true
	}
	for _, pattern := range p.patterns {
		if pattern == except {
			continue
		}
		if n, taken := pattern.find(file); taken {
			return claim{pattern.by, n}, true
		}
	}
	return claim{}, false
}

// all goes through all files, by their paths in lower case.
func (p *outputPaths) all() iter.Seq2[string, claim] {
	return func(yield func(string, claim) bool) {
		for file, by := range p.byPath {
			if !yield(file, by) {
				return
			}
		}
		for _, pattern := range p.patterns {
			for n := range pattern.by.expansion.len() {
				if pattern.has(n) && !yield(pattern.file(n), claim{pattern.by, n}) {
					return
				}
			}
		}
	}
}

// place puts a clean path below the output folder.
func (p *outputPaths) place(output string) string {
	if p.outputDir == "." {
		return output
	}
	return p.outputDir + "/" + output
}

// take notes that something is written to a file, and reports a clash.
func (p *outputPaths) take(own claim, output string, report func(...*hcl.Diagnostic)) bool {
	key, at := strings.ToLower(output), own.by.at
	if !own.by.begun {
		p.begin(own, key)
	}
	mine := own.by.pattern
	if mine != nil && !mine.fits(own.n, key) {
		mine = nil
	}
	if first, taken := p.claimed(key, mine); taken {
		where := output
		if spelt := cmp.Or(p.spelt[key], key); spelt != output {
			where = fmt.Sprintf("%s and %s, which are one file where capital letters do not count, as on Windows and macOS", spelt, output)
		}
		report(diag.Problem(*at, "Two images write one file",
			"%s and %s (%s) would be written to %s. Set output so that each has its own file%s.",
			first.address(), own.address(), diag.Place(*first.by.at), where, caseHint(own)))
		return false
	}
	if first, taken := p.folders[key]; taken {
		report(diag.Problem(*at, "Two images write one file",
			"%s would be written to %s, which is a folder for %s (%s).",
			own.address(), output, first.address(), diag.Place(*first.by.at)))
		return false
	}
	for folder := parentFolder(key); folder != ""; folder = parentFolder(folder) {
		if _, seen := p.folders[folder]; seen {
			break
		}
		if first, taken := p.claimed(folder, nil); taken {
			report(diag.Problem(*at, "Two images write one file",
				"%s needs the folder %s, which is the file of %s (%s).",
				own.address(), folder, first.address(), diag.Place(*first.by.at)))
			return false
		}
		p.folders[folder] = own
	}
	if mine != nil {
		mine.take(own.n)
	} else {
		p.byPath[key] = own
	}
	if key != output {
		p.spelt[key] = output
	}
	return true
}

// parentFolder returns the folder of a clean path, "" where it has none.
func parentFolder(file string) string { return file[:max(strings.LastIndexByte(file, '/'), 0)] }

func caseHint(c claim) string {
	addr, isImage := c.image()
	if !isImage || addr.Key.IsNone() {
		return ""
	}
	if _, byCount := addr.Key.Int(); byCount {
		return ", as in output = \"name-${count.index}.png\""
	}
	return ". Keys need that when they differ only in capital letters, or in characters that a file name cannot have"
}
