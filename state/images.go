package state

import (
	"iter"
	"maps"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Images are the records of the images of a state, by their addresses. What was read from a file
// is kept as one reads it, in a table, and a record is made of that when somebody asks for it: of a
// hundred thousand images a plan mostly wants to know of each whether it is still the same.
//
// As of a map, copies of the pointer share the records, a nil one has none, and several goroutines
// may read at once. A loop over them may set and delete images: one that is deleted before the loop
// comes to it is not seen, one that is set in its place is seen as it is by then, one that is new may
// be seen or not, and every other one is seen once. The zero value is ready.
type Images struct {
	table table
	// over has what was recorded since, and nil for what is gone.
	over map[addrs.Image]*Image
	// more is how many images there are beyond those of the table.
	more int
}

// ImagesOf returns Images with these.
func ImagesOf(all map[addrs.Image]*Image) *Images {
	return &Images{over: maps.Clone(all), more: len(all)}
}

// Get returns the record of an image, nil where there is none.
func (m *Images) Get(a addrs.Image) *Image {
	if m == nil {
		return nil
	}
	if img, ok := m.over[a]; ok {
		return img
	}
	if at, ok := m.table.find(a); ok {
		return at.Image()
	}
	return nil
}

// Has reports whether there is an image.
func (m *Images) Has(a addrs.Image) bool {
	if m == nil {
		return false
	}
	if img, ok := m.over[a]; ok {
		return img != nil
	}
	_, ok := m.table.find(a)
	return ok
}

// Len returns how many images there are.
func (m *Images) Len() int {
	if m == nil {
		return 0
	}
	return m.table.len() + m.more
}

// Set records an image in the place of the one that is there. The image must not change any more.
func (m *Images) Set(a addrs.Image, img *Image) { m.put(a, img) }

// Delete takes an image away, if it is there.
func (m *Images) Delete(a addrs.Image) { m.put(a, nil) }

func (m *Images) put(a addrs.Image, img *Image) {
	was := m.Has(a)
	switch is := img != nil; {
	case is && !was:
		m.more++
	case was && !is:
		m.more--
	case !was && !is:
		return
	}
	if m.over == nil {
		m.over = map[addrs.Image]*Image{}
	}
	m.over[a] = img
}

// Clone returns Images with the same records that do not change with these.
func (m *Images) Clone() *Images {
	if m == nil {
		return new(Images)
	}
	return &Images{table: m.table, over: maps.Clone(m.over), more: m.more}
}

// All goes through the images in the order of their addresses.
func (m *Images) All() iter.Seq2[addrs.Image, *Image] {
	return eachAs(m, func(img *Image) *Image { return img }, Ref.Image)
}

// Addresses goes through the addresses of the images in their order.
func (m *Images) Addresses() iter.Seq[addrs.Image] {
	return func(yield func(addrs.Image) bool) {
		for a := range m.each() {
			if !yield(a) {
				return
			}
		}
	}
}

// Paths goes through the paths of the images' files in the order of the addresses.
func (m *Images) Paths() iter.Seq2[addrs.Image, string] {
	return eachAs(m, func(img *Image) string { return img.Output.Path }, Ref.path)
}

// onFiles goes through what is to be held against the images' files, in the order of the addresses.
func (m *Images) onFiles() iter.Seq2[addrs.Image, onFile] {
	return eachAs(m, func(img *Image) onFile { return img.Output.onFile() }, Ref.onFile)
}

// Files goes through the files of the images in the order of the addresses. A file is good until
// the next one is asked for.
func (m *Images) Files() iter.Seq2[addrs.Image, *File] {
	return func(yield func(addrs.Image, *File) bool) {
		var file File
		recorded := func(img *Image) *File {
			file = img.Output
			return &file
		}
		row := func(at Ref) *File {
			at.readFile(&file)
			return &file
		}
		eachAs(m, recorded, row)(yield)
	}
}

// eachAs goes through the images with what is made of the record of each, or of its place in the table.
func eachAs[T any](m *Images, recorded func(*Image) T, row func(Ref) T) iter.Seq2[addrs.Image, T] {
	return func(yield func(addrs.Image, T) bool) {
		for a, at := range m.each() {
			var one T
			if at == (Ref{}) {
				one = recorded(m.over[a])
			} else {
				one = row(at)
			}
			if !yield(a, one) {
				return
			}
		}
	}
}

// each goes through the images with their places in the table, of which those have none that are
// recorded over it.
func (m *Images) each() iter.Seq2[addrs.Image, Ref] {
	return func(yield func(addrs.Image, Ref) bool) {
		if m == nil {
			return
		}
		over := m.recorded()
		next := func() bool {
			a := over[0]
			over = over[1:]
			return m.over[a] == nil || yield(a, Ref{})
		}
		for at := range m.table.all() {
			a := at.Address()
			for len(over) > 0 && over[0].Compare(a) < 0 {
				if !next() {
					return
				}
			}
			if len(over) > 0 && over[0] == a {
				over = over[1:]
			}
			// Asked for now, since the loop may have changed it.
			img, isOver := m.over[a]
			if isOver {
				at = Ref{}
			}
			if (!isOver || img != nil) && !yield(a, at) {
				return
			}
		}
		for len(over) > 0 {
			if !next() {
				return
			}
		}
	}
}

// recorded returns the addresses of the images that are recorded over the table, in their order.
func (m *Images) recorded() []addrs.Image {
	all := make([]addrs.Image, 0, max(m.more, 0))
	for a, img := range m.over {
		if img != nil {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, addrs.Image.Compare)
	return all
}

// compact returns a table of all images. Of the segments of the present one, those are in it as they
// are in which nothing has changed, but for small ones, which are joined with their neighbours.
func (m *Images) compact() table {
	switch {
	case m == nil:
		return table{}
	case len(m.over) == 0:
		return m.table
	}
	touched := map[*segment]bool{}
	for a := range m.over {
		touched[m.table.near(a)] = true
	}
	m.table.touchSmall(touched)
	var b tableBuilder
	for a, at := range m.each() {
		switch {
		case at == (Ref{}):
			b.add(a, m.over[a])
		case touched[at.segment]:
			b.add(a, at.Image())
		case at.at == 0:
			b.take(at.segment)
		}
	}
	return b.done()
}
