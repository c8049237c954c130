package state

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// Images are what a map of them would be: however they were read, in whatever order the file has
// them, whatever is recorded over them, and in whatever order they are asked for.
func TestImages(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		r := someImages{rand.New(rand.NewPCG(seed, 2))}
		want := r.records()
		got := r.read(t, want)
		for range r.IntN(12) {
			a, img := r.address(), r.image()
			if r.IntN(2) == 0 {
				delete(want, a)
				got.Delete(a)
			} else {
				want[a] = img
				got.Set(a, img)
			}
		}
		before := got.Clone()
		checkImages(t, r, want, before)
		got.Set(addrs.Image{Name: "later"}, r.image())
		checkImages(t, r, want, before)
		checkImages(t, r, want, &Images{table: before.compact()})
	}
}

func checkImages(t *testing.T, r someImages, want map[addrs.Image]*Image, got *Images) {
	t.Helper()
	if is := maps.Collect(got.All()); got.Len() != len(want) || !maps.EqualFunc(want, is, func(a, b *Image) bool { return digest(a) == digest(b) }) {
		t.Fatalf("there are %d (-want +got):\n%s", got.Len(), cmp.Diff(want, is, sameState))
	}
	sorted := slices.SortedFunc(maps.Keys(want), addrs.Image.Compare)
	if all := slices.Collect(got.Addresses()); !slices.Equal(all, sorted) {
		t.Fatalf("the addresses are %v, want %v", all, sorted)
	}
	for a, f := range got.Files() {
		if *f != want[a].Output {
			t.Fatalf("the file of %s is %+v, want %+v", a, *f, want[a].Output)
		}
	}
	asked := make([]addrs.Image, 40)
	for i := range asked {
		asked[i] = r.address()
	}
	if r.IntN(2) == 0 {
		slices.SortFunc(asked, addrs.Image.Compare)
	}
	finder := got.Finder()
	for _, a := range asked {
		img := want[a]
		if is := got.Get(a); digest(img) != digest(is) || got.Has(a) != (img != nil) {
			t.Fatalf("Get of %s (-want +got):\n%s", a, cmp.Diff(img, is, sameState))
		}
		at, ok := finder.Find(a)
		if ok != (img != nil) {
			t.Fatalf("%s is found: %v", a, ok)
		}
		if ok && (at.Address() != a || digest(img) != digest(at.Image())) {
			t.Fatalf("%s is found at another place, which has %s", a, at.Address())
		}
	}
}

// someImages makes records at random.
type someImages struct{ *rand.Rand }

func (r someImages) records() map[addrs.Image]*Image {
	all := map[addrs.Image]*Image{}
	for range r.IntN(60) {
		all[r.address()] = r.image()
	}
	return all
}

// read returns images as they are read from a file, which people may have merged in any order.
func (r someImages) read(t *testing.T, all map[addrs.Image]*Image) *Images {
	t.Helper()
	st := newState("one")
	st.Images = ImagesOf(all)
	text := written(t, st)
	switch read, err := parsePieces(strings.NewReader(text), 4000); {
	case r.IntN(3) == 0:
		text = r.shuffled(t, all)
	case err == nil: // Else it is too short.
		return read.Images
	}
	read, err := parseSnapshot(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return read.Images
}

func (r someImages) shuffled(t *testing.T, all map[addrs.Image]*Image) string {
	t.Helper()
	addresses := slices.SortedFunc(maps.Keys(all), addrs.Image.Compare)
	r.Shuffle(len(addresses), func(i, j int) { addresses[i], addresses[j] = addresses[j], addresses[i] })
	var b strings.Builder
	for i, a := range addresses {
		if i > 0 {
			b.WriteString(",\n")
		}
		name, record := encoded(t, a.String()), encoded(t, all[a])
		fmt.Fprintf(&b, "    %s: %s", name, record)
	}
	return fmt.Sprintf("{\"version\": 1, \"lineage\": \"one\", \"images\": {%s}, \"outputs\": {}}", b.String())
}

func encoded(t *testing.T, value any) []byte {
	t.Helper()
	data, err := encode(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (r someImages) address() addrs.Image {
	a := addrs.Image{Name: string(rune('a' + r.IntN(3)))}
	if r.IntN(5) == 0 {
		a.Module = addrs.Module("").Child("m", addrs.StringKey(string(rune('a'+r.IntN(2)))))
	}
	switch r.IntN(5) {
	case 0:
		a.Key = addrs.IntKey(r.IntN(20))
	case 1, 2, 3:
		a.Key = addrs.StringKey(fmt.Sprintf("%d\"é", r.IntN(20)))
	}
	if r.IntN(4) == 0 {
		a.Candidate = 1 + r.IntN(2)
	}
	return a
}

func (r someImages) image() *Image {
	img := testImage(r.IntN(1000))
	img.Result.Cost = bfl.Credits(r.IntN(1 << 20))
	is := func() bool { return r.IntN(3) == 0 }
	if is() {
		img.Result.Seed, img.Result.ConfiguredSeed = new(r.Int64()), new(-r.Int64())
	}
	if is() {
		img.Result.Prompt, img.Result.Simulated = "a\n\"heron\"", true
	}
	if is() {
		img.Dependencies = []addrs.Image{r.address(), r.address()}
	}
	if is() {
		img.Labels = map[string]string{"a": fmt.Sprint(r.IntN(3)), "": "\x00"}
	}
	if is() {
		img.Candidate, img.Picked, img.More = r.IntN(3), is(), r.IntN(300)
	}
	if is() {
		img.Made, img.Output.Content = new(testImage(3).Output), testHash(5)
	}
	if is() {
		img.Verdicts = []image.Verdict{{Gate: "g", Key: testHash(1), Passed: is(), Reason: "too\tdark"}, {Gate: "h", Key: "k", Score: new(r.Float64())}}
	}
	return img
}

// Where nothing is recorded over them, the segments of a table stay as they are.
func TestCompactKeepsSegments(t *testing.T) {
	t.Parallel()
	st, err := parsePieces(strings.NewReader(written(t, testState(8000))), 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	before := st.Images.table.segments
	st.Images.Set(addrs.Image{Name: "product", Key: addrs.StringKey("sku-000100x")}, testImage(7))
	after := st.Images.compact().segments
	kept := 0
	for _, s := range after {
		if slices.Contains(before, s) {
			kept++
		}
	}
	if len(before) < 5 || kept != len(before)-1 {
		t.Errorf("%d of %d segments are kept, want all but one", kept, len(before))
	}
}

// However often a few images come and go, a table has few segments, and they are the images.
func TestCompactJoinsSegments(t *testing.T) {
	t.Parallel()
	st, err := parsePieces(strings.NewReader(written(t, testState(8000))), 20_000)
	if err != nil {
		t.Fatal(err)
	}
	images, bytes := st.Images, func(of *Images) (sum int) {
		for _, s := range of.table.segments {
			sum += len(s.data)
		}
		return sum
	}
	many := len(images.table.segments)
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		want := images.Clone()
		for range 3 {
			a := addrs.Image{Name: "product", Key: addrs.StringKey(fmt.Sprintf("sku-%06d", r.IntN(8000)))}
			if r.IntN(2) == 0 {
				want.Delete(a)
			} else {
				want.Set(a, testImage(r.IntN(9000)))
			}
		}
		images = &Images{table: want.compact()}
		if !maps.EqualFunc(maps.Collect(want.All()), maps.Collect(images.All()), func(a, b *Image) bool { return digest(a) == digest(b) }) {
			t.Fatal("the table has other images than it is of")
		}
	}
	if n, most := len(images.table.segments), 2*bytes(images)/smallSegment+2; n > most || many < 10*most {
		t.Errorf("of %d segments there are %d after some changes, want %d at most", many, n, most)
	}
}

// An image that a merge left in a file twice is found however much stands between the two.
func TestImageTwiceFarApart(t *testing.T) {
	t.Parallel()
	text := written(t, testState(8000))
	st, err := parseSnapshot(strings.NewReader(text))
	if err != nil || len(st.Images.table.segments) < 3 {
		t.Fatalf("%v; the state has too few segments for this test", err)
	}
	for _, from := range []int{0, 1, len(st.Images.table.segments) - 1} {
		at := Ref{st.Images.table.segments[from], 0}
		again := fmt.Sprintf("%s: %s\n  },\n  \"outputs\"", encoded(t, at.Address().String()), encoded(t, at.Image()))
		twice := strings.Replace(text, "\n  },\n  \"outputs\"", ",\n    "+again, 1)
		if twice == text {
			t.Fatal("the file is laid out otherwise")
		}
		if _, err := parseSnapshot(strings.NewReader(twice)); err == nil || !strings.Contains(err.Error(), "is there twice") {
			t.Errorf("%s at the end again: %v", at.Address(), err)
		}
	}
}

// A loop over images may change them, as one over a map may: what it does not touch is seen once, what
// it takes away or replaces ahead of it is as it is by then, and what is new is seen once or not.
func TestImagesChangeInALoop(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := someImages{rand.New(rand.NewPCG(seed, 3))}
		images := r.read(t, r.records())
		for range r.IntN(8) {
			images.Set(r.address(), r.image())
			images.Delete(r.address())
		}
		now := maps.Collect(images.All())
		isNew, seen := map[addrs.Image]bool{}, map[addrs.Image]bool{}
		for a, img := range images.All() {
			if want, isThere := now[a]; !isThere || digest(img) != digest(want) || seen[a] {
				t.Fatalf("seed %d: %s is seen, deleted: %v, again: %v (-want +got):\n%s", seed, a, !isThere, seen[a], cmp.Diff(want, img, sameState))
			}
			seen[a] = true
			for range r.IntN(3) {
				other := r.address()
				if r.IntN(2) == 0 {
					images.Delete(other)
					delete(now, other)
					continue
				}
				if now[other] == nil {
					isNew[other] = true
				}
				now[other] = r.image()
				images.Set(other, now[other])
			}
		}
		for a := range now {
			if !seen[a] && !isNew[a] {
				t.Fatalf("seed %d: %s is not seen", seed, a)
			}
		}
		checkImages(t, r, now, images)
	}
}

// A row has a hash as bytes, and whatever is none as it is.
func TestRowHashes(t *testing.T) {
	t.Parallel()
	hash := testHash(1)
	for _, text := range []string{hash, "", "f", strings.ToUpper(hash), hash[:63], hash[:32], hash + "0", strings.Repeat("\x00", 32), strings.Repeat("g", 64)} {
		img := testImage(1)
		img.Fingerprint, img.Output.SHA256, img.Output.Content, img.Made = text, text, text, &File{SHA256: text, Content: text}
		var b tableBuilder
		b.add(addrs.Image{Name: "a"}, img)
		table := b.done()
		at, _ := table.find(addrs.Image{Name: "a"})
		if diff := cmp.Diff(img, at.Image()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
		for _, other := range []string{hash, testHash(2), "", text, strings.ToUpper(text)} {
			if got, want := at.onFile().sum.is(other), other == text; got != want {
				t.Errorf("%q is %q: %v, want %v", text, other, got, want)
			}
		}
	}
}

// Refs are a set of places, in whatever order they are added.
func TestRefs(t *testing.T) {
	t.Parallel()
	st, err := parsePieces(strings.NewReader(written(t, testState(3000))), 20_000)
	if err != nil || len(st.Images.table.segments) < 5 {
		t.Fatalf("%v; the state has too few segments for this test", err)
	}
	all := slices.Collect(st.Images.table.all())
	r := rand.New(rand.NewPCG(1, 4))
	for _, n := range []int{0, 1, 200, len(all)} {
		var set Refs
		var want []addrs.Image
		in := map[addrs.Image]bool{}
		for _, i := range r.Perm(len(all))[:n] {
			set.Add(all[i])
			set.Add(all[i])
			want, in[all[i].Address()] = append(want, all[i].Address()), true
		}
		slices.SortFunc(want, addrs.Image.Compare)
		var got []addrs.Image
		for ref := range set.All() {
			got = append(got, ref.Address())
		}
		if !slices.Equal(got, want) || set.Len() != n {
			t.Errorf("of %d images there are %d, or in another order", n, len(got))
		}
		for _, ref := range all {
			if found, ok := set.Find(ref.Address()); ok != in[ref.Address()] || ok && found != ref {
				t.Errorf("%s is found: %v, want %v", ref.Address(), ok, !ok)
			}
		}
		if _, ok := set.Find(addrs.Image{Name: "zz"}); ok {
			t.Error("an image is found that the state does not have")
		}
	}
}
