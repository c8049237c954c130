// Package web is the page that pictures are looked at on: as a folder that opens from disk, which
// report writes, and as the server of review, which can also act.
//
// Words:
//
//   - An album is all that a page shows. It is gathered from a plan, or from two states, and from
//     the files that these are about.
//   - An entry is one image of it, with its pictures before and after, and its candidates.
//   - A shot is a picture that the page shows: where its bytes are, and under which names the page
//     finds its thumbnail and the picture in full. Shots are the only files that a page can have.
//   - A piece is a part of the album's entries, as a script beside the page. Browsers refuse to fetch
//     files for a page that was opened from disk, but they run scripts beside it.
//   - The desk is what acts for the review page. It is a few functions of whoever serves the page:
//     this package decides nothing, and changes nothing but its thumbnails.
//
// The page itself is page.html, page.css and page.js, without a build step. All that comes from a
// configuration or the API is put into it as text.
package web
