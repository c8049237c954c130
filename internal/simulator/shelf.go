package simulator

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"errors"
	"image"
	"runtime"
	"sync"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/simulator/picture"
)

// shelf keeps the inputs of tasks until their samples end, and the pictures that were drawn from
// them. A picture is drawn when it is first asked for, and again if it was thrown away since. Safe
// for concurrent use.
type shelf struct {
	// memory bounds the bytes kept.
	memory int64
	// manifest returns what a task's file is signed with.
	manifest func(*task) []byte

	mu   sync.Mutex
	used int64
	// files hold the pictures, recent the order of their use with the latest in front.
	files  map[*task]*list.Element
	recent list.List
	// inputs are shared by all tasks that have them.
	inputs map[[sha256.Size]byte]*sharedInput
	// holding lists the tasks that hold inputs, oldest first.
	holding []*holder

	drawing chan struct{} // bounds how many pictures are drawn at a time
}

type file struct {
	task *task
	data []byte
}

type sharedInput struct {
	data  []byte
	users int
}

// holder is a task whose inputs are kept.
type holder struct {
	task       *task
	until      time.Time
	downloaded bool
	released   bool
}

var errGone = errors.New("the picture and its inputs are no longer kept")

// newShelf returns an empty shelf.
func newShelf(memory int64, manifest func(*task) []byte) *shelf {
	return &shelf{
		memory:   memory,
		manifest: manifest,
		files:    make(map[*task]*list.Element),
		inputs:   make(map[[sha256.Size]byte]*sharedInput),
		drawing:  make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
}

// hold takes the inputs of a new task in, until its sample ends.
func (s *shelf) hold(t *task, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	holds := false
	for i := range t.order.inputs {
		in := &t.order.inputs[i]
		if in.data == nil {
			continue
		}
		holds = true
		shared, ok := s.inputs[in.sum]
		if !ok {
			shared = &sharedInput{data: in.data}
			s.inputs[in.sum] = shared
			s.used += int64(len(in.data))
		}
		shared.users++
		in.data = shared.data
	}
	for len(s.holding) > 0 && !t.submitted.Before(s.holding[0].until) {
		s.release(s.holding[0])
		s.holding = s.holding[1:]
	}
	if holds {
		t.holder = &holder{task: t, until: until}
		s.holding = append(s.holding, t.holder)
	}
	s.shrink()
}

// release lets a task's inputs and picture go.
func (s *shelf) release(h *holder) {
	if h.released {
		return
	}
	h.released = true
	for i := range h.task.order.inputs {
		in := &h.task.order.inputs[i]
		if in.data == nil {
			continue
		}
		in.data = nil
		if shared := s.inputs[in.sum]; shared != nil {
			if shared.users--; shared.users == 0 {
				s.used -= int64(len(shared.data))
				delete(s.inputs, in.sum)
			}
		}
	}
	s.discard(h.task)
}

// discard throws a picture away.
func (s *shelf) discard(t *task) {
	if e, ok := s.files[t]; ok {
		s.used -= int64(len(s.recent.Remove(e).(*file).data))
		delete(s.files, t)
	}
}

// shrink makes room: first pictures that can be drawn again, the least recently used first; then,
// oldest first, all of tasks whose picture was downloaded.
func (s *shelf) shrink() {
	for s.used > s.memory && s.recent.Len() > 0 {
		s.discard(s.recent.Back().Value.(*file).task)
	}
	for _, h := range s.holding {
		if s.used <= s.memory {
			return
		}
		if h.downloaded {
			s.release(h)
		}
	}
}

// drop forgets a task.
func (s *shelf) drop(t *task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.discard(t)
	if t.holder != nil {
		s.release(t.holder)
	}
}

// downloaded notes that a picture arrived.
func (s *shelf) downloaded(t *task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.holder != nil {
		t.holder.downloaded = true
	}
}

// picture returns a task's file.
func (s *shelf) picture(t *task) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	spec, data, err := s.look(t)
	if data != nil || err != nil {
		return data, err
	}
	s.drawing <- struct{}{}
	defer func() { <-s.drawing }()
	var b bytes.Buffer
	if err := picture.Encode(&b, picture.Draw(spec), t.order.format()); err != nil {
		return nil, err
	}
	data = signed(t.order.format(), b.Bytes(), t.size, s.manifest(t))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[t] = s.recent.PushFront(&file{t, data})
	s.used += int64(len(data))
	s.shrink()
	return data, nil
}

// look returns a task's file, or what to draw it from.
func (s *shelf) look(t *task) (picture.Spec, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.files[t]; ok {
		s.recent.MoveToFront(e)
		return picture.Spec{}, e.Value.(*file).data, nil
	}
	if t.holder != nil && t.holder.released {
		return picture.Spec{}, nil, errGone
	}
	return t.spec(), nil, nil
}

// spec says what to draw for a task. Decoding is left to the picture, so that the shelf is not
// locked meanwhile.
func (t *task) spec() picture.Spec {
	o := t.order
	spec := picture.Spec{
		Model:  o.model.Name,
		Prompt: o.text("prompt"),
		Seed:   t.seed,
		Size:   image.Pt(t.size.Width, t.size.Height),
		Style:  o.style(),
	}
	for _, in := range o.inputs {
		source := picture.Source{URL: in.url, Data: in.data, Identity: string(in.sum[:])}
		if in.field == o.model.Inputs.Mask {
			spec.Mask = &source
		} else {
			spec.References = append(spec.References, source)
		}
	}
	switch {
	case o.model.Inputs.Mask != "":
		spec.Kind = picture.Fill
	case o.model.Param("top") != nil:
		spec.Kind = picture.Expand
		spec.Offset = image.Pt(o.whole("left"), o.whole("top"))
	case o.model.Param("reference_offset_x") != nil:
		spec.Kind = picture.Expand
		spec.Offset = image.Pt((t.size.Width-o.inputs[0].size.Width)/2, (t.size.Height-o.inputs[0].size.Height)/2)
		if x, ok := o.request.Value("reference_offset_x").(int64); ok {
			spec.Offset.X = int(x)
		}
		if y, ok := o.request.Value("reference_offset_y").(int64); ok {
			spec.Offset.Y = int(y)
		}
	}
	return spec
}
