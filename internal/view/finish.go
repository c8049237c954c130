package view

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// FinishApply ends the progress display and writes what the apply did, and the outputs, to stdout.
// If it did not do all, a frame on stderr lists what failed, and why, and how to continue.
func (v *View) FinishApply(s executor.Summary, outputs []config.Output, info ApplyInfo) {
	v.Close()
	v.mu.Lock()
	defer v.mu.Unlock()
	a := v.apply
	v.apply = nil
	if a == nil {
		a = &applyLog{}
	}
	notes := ""
	if info.Simulated && info.Pictures != "" {
		notes = layout.Wrap(fmt.Sprintf("This was a simulation. Nothing was charged. The pictures are in %s.", info.Pictures), v.opts.Width) + "\n"
	} else if info.Simulated {
		notes = "This was a simulation. Nothing was charged.\n"
	}
	if s.Failed+s.Skipped+s.RenditionsFailed+s.RenditionsSkipped == 0 && a.progress.finished() == a.progress.total {
		v.stdout(v.outputLines(outputs, &a.progress) + "\n" + notes + applySentences(s, a.progress.moved, &a.renditions) + v.lastLine(CompleteLine(s)) + "\n")
		return
	}
	// Whether the moves were carried out is not known of a run that did not do all.
	v.stderr("\n" + v.failureFrame(a, s, info))
	v.stdout(v.outputLines(outputs, &a.progress) + "\n" + notes + applySentences(s, 0, &a.renditions) + v.lastLine(IncompleteLine(s)) + "\n")
}

const (
	// failuresListed bounds how many different failures the summary repeats.
	failuresListed = 20
	// failedNamed bounds how many images it names for each.
	failedNamed = 5
)

// failureFrame lists what failed and was skipped, and says what to do.
func (v *View) failureFrame(a *applyLog, s executor.Summary, info ApplyInfo) string {
	var parts []string
	room := v.frameWidth()
	alike := failuresAlike(a.failures)
	for _, group := range alike[:min(len(alike), failuresListed)] {
		text := layout.Wrap(layout.Stopped(layout.Sentence(layout.Harmless(layout.ErrorText(group[0].Err)))), room-2)
		parts = append(parts, v.colours.Strong.Styled(layout.Wrap(failedNames(group)+":", room))+"\n"+layout.Indent(text, "  "))
	}
	if more := len(alike) - failuresListed; more > 0 {
		parts = append(parts, fmt.Sprintf("(and failures for %s)", layout.Count(more, "other reason")))
	}
	if text := skippedText(a.skipped); text != "" {
		parts = append(parts, layout.Wrap(text, room))
	}
	parts = append(parts, renditionFailureParts(a.renditionFailures, s.RenditionsSkipped, room)...)
	again := info.Again
	if again == "" {
		again = "fluxbatch apply"
	}
	if s.Created+s.Replaced > 0 || info.Interrupted {
		parts = append(parts, "What was made is kept, and not paid for again.")
	}
	next := "To continue with the rest:"
	if way := wayOut(a, info); way != "" {
		parts = append(parts, layout.Wrap(way, room))
		next = "Then continue with the rest:"
	}
	parts = append(parts, next+"\n\n    "+again)
	summary := ""
	switch {
	case info.Interrupted && s.Failed == 0:
		summary = "The apply was interrupted"
	case s.Failed > 0:
		summary = layout.Count(s.Failed, "image") + " failed"
	case s.RenditionsFailed > 0:
		summary = layout.Count(s.RenditionsFailed, "rendition") + " failed"
	case s.Skipped > 0 && !slices.ContainsFunc(a.skipped, isEnding):
		summary = layout.Count(s.Skipped, "image") + " skipped"
	default:
		summary = "The apply ended early"
	}
	return v.frame(hcl.DiagError, summary, strings.Join(parts, "\n\n"))
}

// wayOut says what has to be done before it makes sense to continue, "" for nothing.
func wayOut(a *applyLog, info ApplyInfo) string {
	errs := make([]error, 0, len(a.failures)+len(a.skipped))
	// Why the run ended concerns more than why one image failed.
	for i := range a.skipped {
		errs = append(errs, a.skipped[i].Err)
	}
	for i := range a.failures {
		errs = append(errs, a.failures[i].Err)
	}
	for _, err := range errs {
		if way := wayOutOf(err, info); way != "" {
			return way
		}
	}
	return ""
}

// wayOutOf says what has to be done about an error that concerns the whole run, "" for others.
func wayOutOf(err error, info ApplyInfo) string {
	network, isNetwork := errors.AsType[*bfl.NetworkError](err)
	if isNetwork && bfl.IsLoopbackHost(network.Host) {
		return "Start the simulator with fluxbatch simulator, or correct the endpoint of the provider."
	}
	if delivery, ok := errors.AsType[*executor.DeliveryError](err); ok && delivery.All {
		way := "Find out soon what keeps this machine from fetching images, such as a proxy or a firewall: the API does not keep them for long."
		if delivery.Former {
			way += " Results of an earlier run may be gone by now. To give up such a task, and what was paid for it, add -abandon with its address."
		}
		return way
	}
	if api, ok := errors.AsType[*bfl.APIError](err); ok {
		switch {
		case api.Unauthorized():
			return "Compare the key in " + keyVariables(info) + " with those at " + bfl.Dashboard + "."
		case api.OutOfCredits():
			return creditsLeft(info) + "Add credits at " + bfl.Dashboard + "."
		case api.QuotaExhausted():
			return "Have the account's quota raised at " + bfl.Dashboard + ", or wait until it allows more."
		}
		return ""
	}
	if isNetwork {
		return "Check the network connection, and the endpoint of the provider if it sets one."
	}
	if storage, ok := errors.AsType[*executor.StorageError](err); ok {
		return storageWayOut(storage)
	}
	return ""
}

// storageWayOut says what is to be done about a disk that takes nothing more, "" where it is no disk.
func storageWayOut(storage *executor.StorageError) string {
	switch {
	case storage.IsFull():
		return "Make room on the disk. fluxbatch prune -remove removes images from the store that nothing on record needs."
	case storage.IsFile():
		return "Move away the file that is where " + storage.Folder + " is to be."
	case storage.IsPermission() && storage.Folder != "":
		return "Make " + storage.Folder + " writable again."
	case storage.IsPermission():
		return "Make the folder of the state writable again."
	case storage.IsBroken():
		return "Find out what is wrong with the disk."
	}
	return ""
}

// keyVariables names the environment variables that have the keys.
func keyVariables(info ApplyInfo) string {
	var names []string
	for _, account := range info.Accounts {
		if !slices.Contains(names, account.KeyVariable) {
			names = append(names, account.KeyVariable)
		}
	}
	if len(names) == 0 {
		return "the environment variable that the provider names, BFL_API_KEY by default,"
	}
	return "the environment variable " + strings.Join(names, " or ")
}

// creditsLeft says what accounts have left, and what the rest of the plan needs.
func creditsLeft(info ApplyInfo) string {
	var text strings.Builder
	for _, account := range info.Accounts {
		if account.HasLeft && account.Needed > account.Left {
			fmt.Fprintf(&text, "The account of provider %s has %s left, and the rest needs about %s. ", account.Provider, account.Left.Dollars(), account.Needed.Dollars())
		}
	}
	return text.String()
}

// failuresAlike puts failures with one text together, in the order in which they came.
func failuresAlike(failures []executor.Failed) [][]executor.Failed {
	var groups [][]executor.Failed
	byText := map[string]int{}
	for _, f := range failures {
		text := layout.ErrorText(f.Err)
		i, ok := byText[text]
		if !ok {
			i = len(groups)
			byText[text] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], f)
	}
	return groups
}

func failedNames(group []executor.Failed) string {
	var names []string
	for _, f := range group[:min(len(group), failedNamed)] {
		names = append(names, f.Address.String())
	}
	if more := len(group) - failedNamed; more > 0 {
		names = append(names, strconv.Itoa(more)+" more")
	}
	return layout.List(names)
}

// lackOf says what a skipped image lacks.
func lackOf(e executor.Skipped) string {
	if e.Unfit {
		return "it needs " + e.Lack() + ", which fails its postconditions"
	}
	return "it needs " + e.Lack() + ", which was not made"
}

// isEnding reports whether an image was skipped because the run came to its end, and not for want
// of another image.
func isEnding(e executor.Skipped) bool { return e.Lack() == "" }

// skippedText says how many images were not begun and why.
func skippedText(all []executor.Skipped) string {
	var needy, ended []executor.Skipped
	for _, s := range all {
		// Candidates are not counted beside their image.
		isSame := func(one executor.Skipped) bool { return one.Address == s.Address.Of() }
		switch {
		case isEnding(s):
			ended = append(ended, s)
		case !slices.ContainsFunc(needy, isSame):
			s.Address = s.Address.Of()
			needy = append(needy, s)
		}
	}
	var sentences []string
	switch len(needy) {
	case 0:
	case 1:
		sentences = append(sentences, fmt.Sprintf("%s was skipped, since %s.", needy[0].Address, lackOf(needy[0])))
	default:
		lack := "is not there"
		if slices.ContainsFunc(needy, func(s executor.Skipped) bool { return s.Unfit }) {
			lack += " or fails its postconditions"
		}
		sentences = append(sentences, fmt.Sprintf("%d images were skipped, since they need one that %s, as %s needs %s.",
			len(needy), lack, needy[0].Address, needy[0].Lack()))
	}
	return strings.Join(append(sentences, endedSentences(ended)...), " ")
}

// endedSentences says how far the images were that the end of the run cut off.
func endedSentences(ended []executor.Skipped) []string {
	var sent, submitted int
	unstarted := map[addrs.Image]bool{}
	for _, s := range ended {
		switch {
		case s.Submitted:
			submitted++
		case s.Sent:
			sent++
		default:
			unstarted[s.Address.Of()] = true
		}
	}
	waiting := len(unstarted)
	var sentences []string
	add := func(n int, one, more string) {
		if n == 1 {
			sentences = append(sentences, one)
		} else if n > 1 {
			sentences = append(sentences, fmt.Sprintf(more, n))
		}
	}
	if waiting > 0 {
		why := "."
		if err := ended[0].Err; err != nil {
			why = ": " + strings.TrimSuffix(layout.OneLine(err), ".") + "."
		}
		add(waiting, "1 image was not started"+why, "%d images were not started"+strings.ReplaceAll(why, "%", "%%"))
	}
	add(submitted, "1 image is paid for but not finished. The next apply continues with its task.",
		"%d images are paid for but not finished. The next apply continues with their tasks.")
	add(sent, "1 request was on the way and may have been charged. The next plan says more.",
		"%d requests were on the way and may have been charged. The next plan says more.")
	return sentences
}
