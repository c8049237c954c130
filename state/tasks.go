package state

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// TasksOf returns the tasks of an address, in the order of their keys.
func (s *State) TasksOf(a addrs.Image) []*Task {
	var found []*Task
	if s.keys != nil {
		for _, key := range s.keys[a] {
			found = append(found, s.Tasks[key])
		}
	} else {
		for _, t := range s.Tasks {
			if t.Address == a {
				found = append(found, t)
			}
		}
	}
	slices.SortFunc(found, CompareTasks)
	return found
}

// CompareTasks orders tasks by address, and those of one address by key.
func CompareTasks(a, b *Task) int {
	return cmp.Or(a.Address.Compare(b.Address), strings.Compare(a.Key, b.Key))
}

// moveTasks gives the tasks of an address another one. Many addresses can move at once, so that the
// tasks of each are found by an index from the first move on.
func (s *State) moveTasks(from, to addrs.Image) {
	if s.keys == nil {
		s.keys = make(map[addrs.Image][]string, len(s.Tasks))
		for key, t := range s.Tasks {
			s.keys[t.Address] = append(s.keys[t.Address], key)
		}
	}
	for _, task := range s.TasksOf(from) {
		moved := *task
		moved.Address = to
		s.setTask(task.Key, &moved)
	}
}

// setTask records a task, or none.
func (s *State) setTask(key string, t *Task) {
	if s.keys != nil {
		if was := s.Tasks[key]; was != nil {
			s.keys[was.Address] = slices.DeleteFunc(s.keys[was.Address], func(other string) bool { return other == key })
		}
		if t != nil {
			s.keys[t.Address] = append(s.keys[t.Address], key)
		}
	}
	if t == nil {
		delete(s.Tasks, key)
		return
	}
	s.Tasks[key] = t
}

// setTasks records tasks in the place of all that there are.
func (s *State) setTasks(all map[string]*Task) { s.Tasks, s.keys = all, nil }
