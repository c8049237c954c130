package preview

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
)

// speaker is a terminal that answers a question once it has heard all of them.
type speaker struct {
	answer string
	heard  bytes.Buffer
	out    chan string
	rest   string
}

func newSpeaker(answer string) *speaker { return &speaker{answer: answer, out: make(chan string, 1)} }

func (s *speaker) Write(p []byte) (int, error) {
	n, err := s.heard.Write(p)
	if strings.HasSuffix(s.heard.String(), askKind) && s.answer != "" {
		s.out <- s.answer
	}
	return n, err
}

// Read gives the answer in small pieces, as terminals may.
func (s *speaker) Read(p []byte) (int, error) {
	if s.rest == "" {
		text, ok := <-s.out
		if !ok {
			return 0, io.EOF
		}
		s.rest = text
	}
	n := copy(p[:min(len(p), 5)], s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func TestAsk(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer string
		want   Terminal
	}{
		"kitty":         {"\x1b_Gi=31;OK\x1b\\\x1b[6;20;10t\x1b[?62;c", Terminal{Way: Kitty, Cell: image.Pt(10, 20)}},
		"iterm":         {"\x1b]1337;ReportCellSize=17.0;8.0;2.0\x1b\\\x1b[?64;4c", Terminal{Way: ITerm}},
		"sixel":         {"\x1b[6;18;9t\x1b[?65;1;4;22c", Terminal{Way: Sixel, Cell: image.Pt(9, 18)}},
		"none":          {"\x1b[?62;22c", Terminal{}},
		"class 4":       {"\x1b[?4;22c", Terminal{}},
		"kitty says no": {"\x1b_Gi=31;ENOTSUPPORTED\x1b\\\x1b[?62c", Terminal{}},
		"odd cell":      {"\x1b[6;0;9999t\x1b[?62;4c", Terminal{Way: Sixel}},
	} {
		if got := Ask(newSpeaker(tt.answer), time.Minute); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
	mute := newSpeaker("")
	if got := Ask(mute, time.Millisecond); got != (Terminal{}) {
		t.Errorf("a terminal that says nothing can %+v", got)
	}
	close(mute.out)
}

// flag is blue above and red below.
func flag(width, height int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{0, 0, 255, 255}
			if y >= height/2 {
				c = color.RGBA{255, 0, 0, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func TestDrawSendsThePicture(t *testing.T) {
	t.Parallel()
	img := flag(400, 200)
	chunk := regexp.MustCompile(`\x1b_G[^;]*;([^\x1b]*)\x1b\\`)
	var data string
	for _, m := range chunk.FindAllStringSubmatch(Terminal{Way: Kitty, Cell: image.Pt(10, 20)}.Draw(img, 20, 20), -1) {
		if len(m[1]) > kittyChunk {
			t.Errorf("a piece of %d bytes", len(m[1]))
		}
		data += m[1]
	}
	check := func(name, data string) {
		raw, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sent, err := png.Decode(bytes.NewReader(raw))
		if err != nil || sent.Bounds().Size() != image.Pt(200, 100) {
			t.Errorf("%s: %v, %v", name, sent, err)
		}
	}
	check("kitty", data)
	text := Terminal{Way: ITerm, Cell: image.Pt(10, 20)}.Draw(img, 20, 20)
	_, data, _ = strings.Cut(text, "preserveAspectRatio=1:")
	check("iterm", strings.TrimSuffix(data, "\a\n"))
	if !strings.Contains(text, "width=20;height=5;") {
		t.Errorf("iterm: %.80q", text)
	}
}

func TestDrawSixel(t *testing.T) {
	t.Parallel()
	text := Terminal{Way: Sixel, Cell: image.Pt(1, 1)}.Draw(flag(12, 12), 12, 12)
	// Blue is the fifth and red the hundred and eightieth colour of the web; each fills a band of
	// twelve columns: ~ is six lines.
	if !strings.HasPrefix(text, "\x1bP0;1;0q\"1;1;12;12#0;2;0;0;0") || !strings.HasSuffix(text, "#5!12~$-#180!12~$-\x1b\\\n") {
		t.Errorf("got %q", text[max(len(text)-60, 0):])
	}
}

func TestDrawBlocks(t *testing.T) {
	t.Parallel()
	img := flag(90, 90)
	if got, want := (Terminal{TrueColor: true}).Draw(img, 1, 1), "\x1b[38;2;0;0;255;48;2;255;0;0m▀\x1b[0m\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (Terminal{}).Draw(img, 1, 1), "\x1b[38;5;21;48;5;196m▀\x1b[0m\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	plain := Terminal{NoColor: true, Columns: 9}.Draw(img, 40, 40)
	if lines := strings.Split(strings.TrimSuffix(plain, "\n"), "\n"); len(lines) != 4 || len([]rune(lines[0])) != 8 || strings.Contains(plain, "\x1b") {
		t.Errorf("without colours: %q", plain)
	}
}
