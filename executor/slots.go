package executor

// slots counts the active tasks of one account against its limits. Owned by the coordinator.
type slots struct {
	// most is the limit as configured; limit adapts to what the API accepts.
	most, limit, active int
	models              map[string]*modelSlots
	// accepted counts tasks that ended since the limit last changed.
	ended int
}

// modelSlots counts the active tasks of one model.
type modelSlots struct{ limit, active int }

// raiseAfter is how many tasks must end before a lowered limit is tried one higher. The API's
// refusals are free but for the time of a call, so that probing now and then costs little.
const raiseAfter = 3

func newSlots(most int) *slots {
	return &slots{most: most, limit: most, models: map[string]*modelSlots{}}
}

// limitModel bounds one model's tasks.
func (s *slots) limitModel(model string, limit int) {
	s.models[model] = &modelSlots{limit: limit}
}

// free reports whether a task of the model may be submitted.
func (s *slots) free(model string) bool {
	m := s.models[model]
	return s.active < s.limit && (m == nil || m.active < m.limit)
}

// take takes a slot, which the caller has found free.
func (s *slots) take(model string) {
	s.active++
	if m := s.models[model]; m != nil {
		m.active++
	}
}

// release gives a slot back. The task has ended at the API, or was never accepted.
func (s *slots) release(model string) {
	s.active--
	if m := s.models[model]; m != nil {
		m.active--
	}
}

// refused adapts to an answer of "too many tasks", after the refused task's slot was released:
// there is room for those that are active now and for no more. Somebody else may be using the
// account.
func (s *slots) refused() {
	s.limit = max(1, min(s.limit, s.active))
	s.ended = 0
}

// succeeded adapts to a task that ended.
func (s *slots) succeeded() {
	if s.limit == s.most {
		return
	}
	if s.ended++; s.ended >= raiseAfter {
		s.limit++
		s.ended = 0
	}
}
