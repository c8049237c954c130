package imagefile_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/fluxbatch/fluxbatch/internal/imagefile"
)

// content returns the content identity of a file, which must be valid, and the same however the
// file arrives.
func content(tb testing.TB, file []byte) string {
	tb.Helper()
	info, err := imagefile.Check(bytes.NewReader(file), noLimit)
	if err != nil {
		tb.Fatal(err)
	}
	again, err := imagefile.Check(iotest.OneByteReader(bytes.NewReader(file)), noLimit)
	if err != nil || again != info {
		tb.Fatalf("by bytes: %+v, %v; at once: %+v", again, err, info)
	}
	return info.Content
}

// tiff is an EXIF block with an orientation, behind another field.
func tiff(order binary.ByteOrder, kind uint16, orientation uint32) string {
	b := []byte("II*\x00\x08\x00\x00\x00")
	if order == binary.BigEndian {
		b = []byte("MM\x00*\x00\x00\x00\x08")
	}
	put := func(values ...any) {
		for _, v := range values {
			b, _ = binary.Append(b, order, v)
		}
	}
	put(uint16(2), uint16(0x0100), uint16(3), uint32(1), uint32(7))
	put(uint16(0x0112), kind, uint32(1))
	switch kind {
	case 1:
		put(uint8(orientation), [3]byte{})
	case 3:
		put(uint16(orientation), uint16(0))
	default:
		put(orientation)
	}
	put(uint32(0))
	return string(b)
}

var turned = tiff(binary.BigEndian, 3, 6)

// insert puts bytes into a copy of a file.
func insert(file []byte, at int, data ...string) []byte {
	return slices.Concat(file[:at], []byte(strings.Join(data, "")), file[at:])
}

func segment(marker byte, data string) string {
	return string(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(data)+2))) + data
}

func TestContentOfPNG(t *testing.T) {
	t.Parallel()
	file := pngFile(t, picture(31, 17))
	chunks := pngChunks(file)
	ihdr, idat, iend := chunks[0], chunks[1], chunks[len(chunks)-1]
	data := string(idat[8 : len(idat)-4])
	want := content(t, file)
	if !regexp.MustCompile("^[0-9a-f]{64}$").MatchString(want) {
		t.Errorf("%q is no hash", want)
	}
	first := 8 + len(ihdr)
	same := map[string][]byte{
		"cut elsewhere":           pngOf(ihdr, pngChunk("IDAT", data[:7]), pngChunk("IDAT", ""), pngChunk("IDAT", data[7:]), iend),
		"something behind it":     append(slices.Clone(file), "PK\x03\x04"...),
		"an upright picture":      insert(file, first, string(pngChunk("eXIf", tiff(binary.LittleEndian, 3, 1)))),
		"an orientation like nil": insert(file, first, string(pngChunk("eXIf", tiff(binary.LittleEndian, 3, 9)))),
		"a broken EXIF block":     insert(file, first, string(pngChunk("eXIf", turned[:20]))),
		"a long EXIF block":       insert(file, first, string(pngChunk("eXIf", strings.Repeat("a", 200<<10)))),
	}
	for _, kind := range []string{"caBX", "eXIf", "tEXt", "zTXt", "iTXt", "tIME", "pHYs", "bKGD", "hIST", "sPLT", "vpAg", "prVt"} {
		same[kind+" before the pixels"] = insert(file, first, string(pngChunk(kind, "abc")))
		same[kind+" behind them"] = insert(file, len(file)-len(iend), string(pngChunk(kind, "")))
	}
	different := map[string][]byte{
		"other pixels":       pngOf(ihdr, pngChunk("IDAT", data[:len(data)-1]+"x"), iend),
		"pixels more":        pngOf(ihdr, pngChunk("IDAT", data+"x"), iend),
		"another size":       pngOf(pngHeader(17, 31, 8, 2), idat, iend),
		"a frame's pixels":   pngOf(ihdr, idat, pngChunk("fdAT", data), iend),
		"a turned picture":   insert(file, first, string(pngChunk("eXIf", turned))),
		"marked as in JPEG":  insert(file, first, string(pngChunk("eXIf", "Exif\x00\x00"+tiff(binary.BigEndian, 3, 5)))),
		"a picture's length": pngOf(ihdr, pngChunk("gAMA", "1234"), pngChunk("gAMA", "5"), idat, iend),
		"its length again":   pngOf(ihdr, pngChunk("gAMA", "123"), pngChunk("gAMA", "45"), idat, iend),
	}
	for _, kind := range []string{"PLTE", "tRNS", "cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "cICP", "mDCV", "cLLI", "acTL", "fcTL"} {
		different[kind] = insert(file, first, string(pngChunk(kind, "abc")))
		different[kind+" of another content"] = insert(file, first, string(pngChunk(kind, "abd")))
	}
	checkContents(t, want, same, different)
	late := insert(file, len(file)-len(iend), string(pngChunk("eXIf", turned)))
	if content(t, late) != content(t, different["a turned picture"]) {
		t.Error("it matters where the orientation stands")
	}
}

// checkContents holds files that show the same picture against those that do not, which also differ
// from each other.
func checkContents(t *testing.T, want string, same, different map[string][]byte) {
	t.Helper()
	for name, file := range same {
		if got := content(t, file); got != want {
			t.Errorf("%s makes another picture", name)
		}
	}
	seen := map[string]string{want: "the file itself"}
	for name, file := range different {
		got := content(t, file)
		if other, ok := seen[got]; ok {
			t.Errorf("%s makes the same picture as %s", name, other)
		}
		seen[got] = name
	}
}

func TestContentOfJPEG(t *testing.T) {
	t.Parallel()
	file := jpegFile(t, picture(33, 18))
	exif := func(text string) string { return segment(0xe1, "Exif\x00\x00"+text) }
	same := map[string][]byte{
		"EXIF":                insert(file, 2, exif("nothing of the kind")),
		"an upright picture":  insert(file, 2, exif(tiff(binary.BigEndian, 3, 1))),
		"XMP":                 insert(file, 2, segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x/>")),
		"turned by XMP":       insert(file, 2, segment(0xe1, "Exif:"+turned)),
		"a manifest":          insert(file, 2, segment(0xeb, "JP"), segment(0xeb, "JP2")),
		"captions":            insert(file, 2, segment(0xed, "Photoshop 3.0")),
		"a comment":           insert(file, 2, segment(0xfe, "\xff\xd8\xff\xda")),
		"fill bytes":          insert(file, 2, "\xff\xff"),
		"fill bytes at end":   insert(file, len(file)-2, "\xff\xff"),
		"a marker alone":      insert(file, 2, "\xff\x01"),
		"something behind it": append(slices.Clone(file), file...),
		"an empty segment":    insert(file, 2, segment(0xe1, "")),
	}
	different := map[string][]byte{
		"APP0":             insert(file, 2, segment(0xe0, "JFIF")),
		"a colour profile": insert(file, 2, segment(0xe2, "ICC_PROFILE\x00")),
		"another of them":  insert(file, 2, segment(0xe2, "ICC_PROFILE\x01")),
		"colours":          insert(file, 2, segment(0xee, "Adobe")),
		"the same in two":  insert(file, 2, segment(0xee, "Ado"), segment(0xee, "be")),
		"pixels more":      insert(file, len(file)-2, "x"),
		"a restart":        insert(file, len(file)-2, "\xff\xd0"),
		"a stuffed byte":   insert(file, len(file)-2, "\xff\x00"),
	}
	for orientation := range uint32(7) {
		orientation += 2
		name := "turned by " + string(rune('0'+orientation))
		different[name] = insert(file, 2, exif(tiff(binary.LittleEndian, 3, orientation)))
	}
	checkContents(t, content(t, file), same, different)
	for name, other := range map[string][]byte{
		"a byte":                insert(file, 2, exif(tiff(binary.LittleEndian, 1, 6))),
		"a long":                insert(file, 2, exif(tiff(binary.BigEndian, 4, 6))),
		"of another mark":       insert(file, 2, segment(0xe1, "Exif\x00\xff"+turned)),
		"behind XMP":            insert(file, 2, segment(0xe1, "http"), exif(turned)),
		"before another":        insert(file, 2, exif(turned), exif(tiff(binary.BigEndian, 3, 3))),
		"behind one without it": insert(file, 2, exif("MM\x00*\x00\x00\x00\x08\x00\x00"), exif(turned)),
	} {
		if content(t, other) != content(t, different["turned by 6"]) {
			t.Errorf("the orientation as %s counts otherwise", name)
		}
	}
}

func TestContentOfJPEGWithFillBytes(t *testing.T) {
	t.Parallel()
	plain := bytes.ReplaceAll(bytes.ReplaceAll(handmadeJPEG, []byte("\xff\xff\xff\xfe"), []byte("\xff\xfe")), []byte("\xff\xff"), []byte("\xff"))
	if len(plain) == len(handmadeJPEG) {
		t.Fatal("nothing was taken out")
	}
	if content(t, plain) != content(t, handmadeJPEG) {
		t.Error("fill bytes make another picture")
	}
}

// withFlags sets the flags of a WebP's extended header.
func withFlags(flags byte, vp8x []byte) []byte {
	vp8x = slices.Clone(vp8x)
	vp8x[8] = flags
	return vp8x
}

func TestContentOfWebP(t *testing.T) {
	t.Parallel()
	plain := webpFile(vp8(20, 10))
	exif := func(text string) []byte { return chunk("EXIF", text) }
	same := map[string][]byte{
		"wrapped":             webpFile(vp8x(20, 10), vp8(20, 10)),
		"EXIF and XMP":        webpFile(withFlags(12, vp8x(20, 10)), vp8(20, 10), exif("abc"), chunk("XMP ", "<x/>")),
		"a manifest":          webpFile(vp8x(20, 10), vp8(20, 10), chunk("C2PA", "abc")),
		"a manifest alone":    webpFile(vp8(20, 10), chunk("C2PA", "abc")),
		"an upright picture":  webpFile(vp8x(20, 10), vp8(20, 10), exif(tiff(binary.BigEndian, 3, 1))),
		"something behind it": append(webpFile(vp8(20, 10)), "more"...),
		"a longer length":     announce(append(webpFile(vp8(20, 10)), "abc"...), 3),
	}
	different := map[string][]byte{
		"other pixels":            webpFile(chunk("VP8 ", string(vp8(20, 10)[8:18])+"./")),
		"other pixels more":       webpFile(chunk("VP8 ", string(vp8(20, 10)[8:18])+"...")),
		"padding that is a pixel": webpFile(chunk("VP8 ", string(vp8(20, 10)[8:18])+"...\x00")),
		"lossless":                webpFile(vp8l(20, 10)),
		"transparency":            webpFile(vp8x(20, 10), chunk("ALPH", "a"), vp8(20, 10)),
		"a colour profile":        webpFile(vp8x(20, 10), chunk("ICCP", "a"), vp8(20, 10)),
		"an unknown chunk":        webpFile(vp8x(20, 10), vp8(20, 10), chunk("ABCD", "a")),
		"a turned picture":        webpFile(vp8x(20, 10), vp8(20, 10), exif(turned)),
		"turned otherwise":        webpFile(vp8x(20, 10), vp8(20, 10), exif("Exif\x00\x00"+tiff(binary.LittleEndian, 3, 8))),
		"an animation":            webpFile(withFlags(2, vp8x(20, 10)), chunk("ANIM", "123456"), chunk("ANMF", "frame")),
		"of another canvas":       webpFile(withFlags(2, vp8x(21, 10)), chunk("ANIM", "123456"), chunk("ANMF", "frame")),
		"of another frame":        webpFile(withFlags(2, vp8x(20, 10)), chunk("ANIM", "123456"), chunk("ANMF", "Frame")),
		"of a still":              webpFile(withFlags(2, vp8x(20, 10)), vp8(20, 10)),
	}
	checkContents(t, content(t, plain), same, different)
	for name, file := range map[string][]byte{
		"without its flag": webpFile(vp8x(20, 10), chunk("ANIM", "123456"), chunk("ANMF", "frame")),
		"with metadata":    webpFile(withFlags(14, vp8x(20, 10)), chunk("ANIM", "123456"), chunk("ANMF", "frame"), chunk("XMP ", "a")),
	} {
		if content(t, file) != content(t, different["an animation"]) {
			t.Errorf("an animation %s is another picture", name)
		}
	}
	padded := webpFile(vp8x(20, 10), vp8(20, 10), chunk("ABCD", "abc"))
	if content(t, padded) != content(t, unpadded(slices.Clone(padded))) {
		t.Error("padding makes another picture")
	}
}

// TestContentStays makes sure that identities do not change: those in state files would name other
// pictures.
func TestContentStays(t *testing.T) {
	t.Parallel()
	for want, file := range map[string][]byte{
		"3ad789563ecbd7b57456cac4698ac085593967e3f22e2ff3e051dd4da6fc54f7": pngOf(pngHeader(6, 5, 8, 2), pngChunk("gAMA", "1234"), pngChunk("IDAT", "pixels"), pngChunk("eXIf", turned), pngChunk("IEND", "")),
		"c7eba4c67109956a4a117a0e9605e67529427cfbc98b29cc0bfaf630cae99f09": insert(handmadeJPEG, 2, segment(0xe1, "Exif\x00\x00"+turned)),
		"0917fa422d5711540dc52d46ab1f6a4e6b63a55e9e43826cf2b608ebb6e07e70": webpFile(withFlags(2, vp8x(20, 10)), chunk("ANIM", "123456"), chunk("ANMF", "frame"), chunk("EXIF", turned)),
	} {
		if got := content(t, file); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestOrientationNeverBreaks cuts and changes an EXIF block everywhere.
func TestOrientationNeverBreaks(t *testing.T) {
	t.Parallel()
	file := pngFile(t, picture(6, 5))
	for i := range len(turned) {
		content(t, insert(file, 33, string(pngChunk("eXIf", turned[:i]))))
		for _, value := range []byte{0, 0x7f, 0xff} {
			changed := []byte(turned)
			changed[i] = value
			content(t, insert(file, 33, string(pngChunk("eXIf", string(changed)))))
		}
	}
}

// TestFinishTwice makes sure that asking again gives the same answer.
func TestFinishTwice(t *testing.T) {
	t.Parallel()
	c := imagefile.NewChecker(noLimit)
	if _, err := c.Write(insert(pngFile(t, picture(3, 3)), 33, string(pngChunk("eXIf", turned)))); err != nil {
		t.Fatal(err)
	}
	first, err := c.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Finish(); err != nil || again != first {
		t.Errorf("%+v, %v; before %+v", again, err, first)
	}
}

// FuzzContent adds metadata to files, which must not change the picture, and changes a byte of
// their pixels, which must.
func FuzzContent(f *testing.F) {
	for _, file := range [][]byte{
		pngFile(f, picture(6, 5)), jpegFile(f, picture(16, 16)), handmadeJPEG, withSegments(jpegFile(f, picture(8, 8))),
		webpFile(vp8(20, 10)), webpFile(vp8l(300, 7)), webpFile(vp8x(20, 10), chunk("ALPH", "xyz"), vp8(20, 10)),
		webpFile(withFlags(2, vp8x(6, 5)), chunk("ANIM", "123456"), chunk("ANMF", "frame")),
	} {
		f.Add(file, []byte("data"), uint16(3))
	}
	f.Fuzz(func(t *testing.T, file, data []byte, at uint16) {
		info, err := imagefile.Check(bytes.NewReader(file), noLimit)
		if err != nil || len(data) > 60_000 {
			return
		}
		for _, changed := range withMetadata(info.Format, file, string(data)) {
			got, err := imagefile.Check(bytes.NewReader(changed), noLimit)
			if err != nil {
				t.Fatalf("with metadata: %v", err)
			}
			if got.Content != info.Content || got.Width != info.Width || got.Height != info.Height {
				t.Fatalf("metadata makes another picture")
			}
		}
		changed := withOtherPixel(info.Format, slices.Clone(file), int(at))
		if changed == nil {
			return
		}
		got, err := imagefile.Check(bytes.NewReader(changed), noLimit)
		if err != nil {
			t.Fatalf("with another pixel: %v", err)
		}
		if got.Content == info.Content {
			t.Fatalf("another pixel makes the same picture")
		}
	})
}

// withMetadata returns variants of a valid file with metadata.
func withMetadata(format string, file []byte, data string) [][]byte {
	switch format {
	case imagefile.PNG:
		// The last chunk of the image may have something behind it, so that the first place is the
		// only certain one.
		return [][]byte{
			insert(file, 33, string(pngChunk("caBX", data))), insert(file, 33, string(pngChunk("tEXt", data)), string(pngChunk("pHYs", data))),
			append(slices.Clone(file), data...),
		}
	case imagefile.JPEG:
		return [][]byte{
			insert(file, 2, segment(0xeb, data)), insert(file, 2, segment(0xed, data), "\xff\xff"), insert(file, 2, segment(0xfe, data)),
			insert(file, 2, segment(0xe1, "http"+data)), append(slices.Clone(file), data...),
		}
	}
	// Behind the last chunk; a tail, or padding that is missing, leaves no place for another one.
	end := 8 + int(binary.LittleEndian.Uint32(file[4:]))
	if end != len(file) || !wholeChunks(file[12:]) {
		return nil
	}
	var files [][]byte
	for _, kind := range []string{"XMP ", "C2PA"} {
		added := chunk(kind, data)
		files = append(files, announce(slices.Concat(file, added), uint32(len(added))))
	}
	return append(files, append(slices.Clone(file), data...))
}

func wholeChunks(rest []byte) bool {
	for len(rest) >= 8 {
		n := 8 + int(binary.LittleEndian.Uint32(rest[4:]))
		n += n % 2
		if n > len(rest) {
			return false
		}
		rest = rest[n:]
	}
	return len(rest) == 0
}

// withOtherPixel changes a byte of a valid file's image data so that the file stays valid. It
// returns nil where none can be changed.
func withOtherPixel(format string, file []byte, at int) []byte {
	switch format {
	case imagefile.PNG:
		for rest := file[8:]; len(rest) >= 12; {
			n := int(binary.BigEndian.Uint32(rest))
			if string(rest[4:8]) == "IDAT" && n > 0 {
				rest[8+at%n] ^= 1
				binary.BigEndian.PutUint32(rest[8+n:], crc32.ChecksumIEEE(rest[4:8+n]))
				return file
			}
			rest = rest[12+n:]
		}
	case imagefile.JPEG:
		return withOtherScan(file, at)
	case imagefile.WebP:
		for rest := file[12:min(len(file), 8+int(binary.LittleEndian.Uint32(file[4:])))]; len(rest) >= 8; {
			n := int(binary.LittleEndian.Uint32(rest[4:]))
			if kind := string(rest[:4]); kind == "VP8 " && n > 10 || kind == "VP8L" && n > 10 {
				rest[8+10+at%(n-10)] ^= 1
				return file
			}
			if 8+n+n%2 > len(rest) {
				return nil
			}
			rest = rest[8+n+n%2:]
		}
	}
	return nil
}

// withOtherScan changes a byte of the first scan that is no part of a marker.
func withOtherScan(file []byte, at int) []byte {
	i := 2
	for file[i+1] != 0xda {
		switch file[i+1] {
		case 0xff:
			i++
		case 0x01:
			i += 2
		default:
			i += 2 + int(binary.BigEndian.Uint16(file[i+2:]))
		}
	}
	start := i + 2 + int(binary.BigEndian.Uint16(file[i+2:]))
	i = start + at%64
	if i+1 >= len(file) || file[i] == 0xff || file[i]^1 == 0xff || file[i-1] == 0xff {
		return nil
	}
	for j := start; j < i; j++ {
		if code := file[j+1]; file[j] == 0xff && code != 0 && code != 0xff && (code < 0xd0 || code > 0xd7) {
			return nil // the scan is over by then
		}
	}
	file[i] ^= 1
	return file
}
