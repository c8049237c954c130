package simulator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// hasFinetune reports whether an account may use a fine-tune. Those of other organisations,
// "organisation/name", are taken to be shared with it. Simulator.mu is held.
func (a *account) hasFinetune(name string) bool {
	return a.finetunes == nil || a.finetunes[name] || strings.Contains(name, "/")
}

// checkFinetune refuses an order for a fine-tune that does not exist.
func (s *Simulator) checkFinetune(who credential, o *order) *problem {
	if o.model.Param("finetune_id") == nil {
		return nil
	}
	return s.finetune(who, o.text("finetune_id"), func(*account) {})
}

// finetune calls use with the account that has a fine-tune, or refuses.
func (s *Simulator) finetune(who credential, name string, use func(*account)) *problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(who)
	if !a.hasFinetune(name) {
		return refuse(http.StatusNotFound, fmt.Sprintf("Finetune %q not found", name))
	}
	use(a)
	return nil
}

func (s *Simulator) listFinetunes(w http.ResponseWriter, r *http.Request) *problem {
	who, p := s.authenticate(r, false)
	if p != nil {
		return p
	}
	s.mu.Lock()
	names := slices.Sorted(maps.Keys(s.account(who).finetunes))
	s.mu.Unlock()
	if names == nil {
		names = []string{}
	}
	answer(w, http.StatusOK, map[string][]string{"finetunes": names})
	return nil
}

func (s *Simulator) getFinetune(w http.ResponseWriter, r *http.Request) *problem {
	who, p := s.authenticate(r, false)
	if p != nil {
		return p
	}
	name, p := asked(r, "finetune_id")
	if p != nil {
		return p
	}
	if p := s.finetune(who, name, func(*account) {}); p != nil {
		return p
	}
	answer(w, http.StatusOK, map[string]any{"finetune_details": map[string]any{
		"finetune_id": name, "finetune_comment": "A fine-tune of the simulator", "mode": "general",
		"iterations": 300, "trigger_word": "TOK", "finetune_type": "full", "status": statusReady,
	}})
	return nil
}

func (s *Simulator) deleteFinetune(w http.ResponseWriter, r *http.Request) *problem {
	who, f, body, p := s.read(w, r)
	if p != nil {
		return p
	}
	raw, ok := f["finetune_id"]
	if !ok {
		return refuseFields(missing("finetune_id", body))
	}
	name, ok := text(raw)
	if !ok {
		return refuseFields(wrongType("finetune_id", bfl.String, raw))
	}
	if p := s.finetune(who, name, func(a *account) { delete(a.finetunes, name) }); p != nil {
		return p
	}
	answer(w, http.StatusOK, map[string]string{
		"status":              "success",
		"message":             fmt.Sprintf("Finetune %q was deleted", name),
		"deleted_finetune_id": name,
		"timestamp":           s.opts.Now().UTC().Format(time.RFC3339),
	})
	return nil
}
