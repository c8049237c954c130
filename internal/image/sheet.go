package image

import (
	"fmt"
	"path"
	"strings"
)

// MaxPage bounds the sides of a page of a sheet, in pixels: what graphics processors take.
const MaxPage = 8192

// CellWidth and CellHeight are what a cell of a sheet takes, with the padding around it.
func (r *Recipe) CellWidth() int { return r.Width + 2*r.Padding }

// CellHeight is as CellWidth.
func (r *Recipe) CellHeight() int { return r.Height + 2*r.Padding }

// PageCells is how many cells of a sheet stand on a page at most.
func (r *Recipe) PageCells() int { return max(r.Columns, 1) * max(MaxPage/r.CellHeight(), 1) }

// PageSize returns the extent of the next page of a sheet on which some cells are left to stand.
func (r *Recipe) PageSize(cells int) (width, height int) {
	columns := max(r.Columns, 1)
	rows := (min(cells, r.PageCells()) + columns - 1) / columns
	return columns * r.CellWidth(), rows * r.CellHeight()
}

// SheetFiles returns the files of a sheet of some cells: its pages, the first of which is output, and
// behind each its atlas, where there are any.
func (r *Recipe) SheetFiles(cells int, output, atlas string) []string {
	var files []string
	for page := 0; page == 0 || page*r.PageCells() < cells; page++ {
		files = append(files, numbered(output, page))
		if atlas != "" {
			files = append(files, numbered(atlas, page))
		}
	}
	return files
}

// numbered is the name of a page's file: icons.png, icons-2.png, and so on.
func numbered(file string, page int) string {
	if page == 0 {
		return file
	}
	ext := path.Ext(file)
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(file, ext), page+1, ext)
}
