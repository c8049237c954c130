package sourcefile

import "bytes"

// NotUTF8 says in which other encoding than UTF-8 a text file seems to be, and the way out; ""
// where it seems to be in none. Editors and spreadsheets on Windows write UTF-16, in which every
// other byte of plain text is zero.
func NotUTF8(src []byte) string {
	if encoding := otherEncoding(src); encoding != "" {
		return "The file is in " + encoding + ", and text has to be in UTF-8. Save it as UTF-8 in your editor, " +
			"or convert it with iconv -f UTF-16 -t UTF-8"
	}
	return ""
}

func otherEncoding(src []byte) string {
	const sample = 64
	head := src[:min(len(src), sample)]
	zeros := [2]int{}
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	isHalf := func(n int) bool { return n > 0 && n >= len(head)/4 }
	switch {
	case bytes.HasPrefix(src, []byte{0xff, 0xfe}), isHalf(zeros[1]) && zeros[0] == 0:
		return "UTF-16 (little-endian)"
	case bytes.HasPrefix(src, []byte{0xfe, 0xff}), isHalf(zeros[0]) && zeros[1] == 0:
		return "UTF-16 (big-endian)"
	}
	return ""
}
