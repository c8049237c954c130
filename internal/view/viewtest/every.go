package viewtest

import (
	"encoding/json"
	"errors"
	"syscall"
	"time"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// outageBegan is when no picture could be fetched any more.
var outageBegan = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

// EveryPlan has a change of each kind, and each that is free.
func EveryPlan() *planner.Plan {
	p := MixedPlan()
	restored := CreateLogo()
	restored.Address, restored.Origin, restored.Cost = Addr(`image.restored["a b"]`), planner.Restore, 0
	restored.Rare().Kept = Recorded("images/elsewhere.png", LogoPrompt)
	resumed := CreateLogo()
	resumed.Address, resumed.Origin, resumed.Cost = Addr("module.brand.module.icons[0].image.resumed"), planner.Resume, 0
	resumed.Reasons = []planner.Reason{{Kind: planner.Interrupted}}
	resumed.Rare().Task = &state.Task{ID: "t-1"}
	lost := CreateLogo()
	lost.Address, lost.Rare().Unanswered = Addr("image.lost"), []*state.Task{{}}
	lost.Fingerprint = "f"
	gone := CreateGone()
	gone.Address = Addr("image.gone")
	gone.Listed()[1].Sensitive = true
	edited := ReplaceLogo()
	edited.Address = Addr("image.edited")
	edited.Reasons = []planner.Reason{{Kind: planner.FileChanged}, {Kind: planner.Requested}}
	p.Changes = append(p.Changes, restored, resumed, lost, gone, edited)
	p.Changes[0].Desired.Dependencies = []addrs.Image{Addr("image.logo")}
	p.Abandoned = []planner.Abandoned{
		{Address: Addr("image.unwanted"), Task: &state.Task{ID: "t-2", Cost: bfl.CreditsOf(3)}},
		{Address: Addr("image.unheard"), Task: &state.Task{Cost: bfl.CreditsOf(4)}},
	}
	return p
}

// EveryState returns a state of all images that EveryPlan has on record, and some more.
func EveryState() *state.State {
	s := &state.State{Images: new(state.Images), Outputs: map[string]state.OutputValue{
		"hero": *OnRecord(`"images/hero.png"`, `"string"`),
		"key":  {Value: json.RawMessage("null"), Type: json.RawMessage(`"dynamic"`), Sensitive: true},
	}}
	for _, c := range EveryPlan().Changes {
		if c.Prior != nil {
			s.Images.Set(c.Address, c.Prior)
		}
	}
	hero := *s.Images.Get(Addr("image.hero"))
	hero.Dependencies = []addrs.Image{Addr("image.logo")}
	hero.Labels = map[string]string{"team": "brand"}
	hero.Result.Simulated = true
	hero.Result.Prompt = "An elaborate prompt"
	s.Images.Set(Addr("image.hero"), &hero)
	s.Images.Set(Addr(`module.brand["eu"].module.icons[1].image.deep`), &hero)
	return s
}

// ApplyEvents is an apply of MixedPlan with something of everything.
func ApplyEvents() []executor.Event {
	logo, hero, old := Addr("image.logo"), Addr("image.hero"), Addr("image.old[3]")
	banner := Addr(`module.brand["eu"].image.banner`)
	moderated := errors.New("the API refused the request as Request Moderated, because of: Derivative Works Filter.\nIt is not submitted again " +
		"until it changes, or with -retry-moderated")
	return []executor.Event{
		executor.Started{Address: old, Action: planner.Destroy},
		executor.Completed{Address: old, Action: planner.Destroy},
		executor.Started{Address: logo, Action: planner.Create},
		executor.Started{Address: banner, Action: planner.Update},
		executor.Completed{Address: banner, Action: planner.Update, Image: Recorded("images/top/banner.png", LogoPrompt), Elapsed: 20 * time.Millisecond},
		executor.Retrying{Address: logo, Call: "submit", Err: errors.New("the API answered 429 Too Many Requests"), After: 1532 * time.Millisecond},
		executor.Submitted{Address: logo, TaskID: "5f2c-0001", Cost: bfl.CreditsOf(3)},
		executor.Progressed{Address: logo, Status: "Pending", Elapsed: 4 * time.Second},
		executor.Progressed{Address: logo, Status: "Pending", Elapsed: 11 * time.Second},
		executor.Progressed{Address: logo, Status: "Pending", Elapsed: 14 * time.Second},
		executor.Progressed{Address: logo, Status: "Pending", Progress: 0.42, Elapsed: 92 * time.Second},
		executor.Ready{Address: logo, Elapsed: 95 * time.Second},
		executor.Retrying{Address: logo, Call: "download", Err: errors.New("connection reset by peer"), After: 12 * time.Second},
		executor.Completed{Address: logo, Action: planner.Create, Origin: planner.Generate, Image: Recorded("images/logo.png", LogoPrompt), Elapsed: 107 * time.Second},
		executor.Warned{Address: logo, Message: "The image is 1024x1008 pixels,\nwhere 1024x1024 was asked for."},
		executor.Started{Address: hero, Action: planner.Replace},
		executor.Failed{Address: hero, Action: planner.Replace, Err: moderated, Elapsed: 3 * time.Second},
		executor.Skipped{Address: Addr("image.poster"), Because: hero},
		executor.Skipped{Address: Addr("image.late"), Err: errors.New("the account has no credits left (402)")},
		executor.Unchanged{Address: Addr("image.same")},
		executor.Uploaded{Images: 1200, Of: 10_000, Bytes: 1_460_000_000},
		executor.LookedUp{Store: "s3://art/blobs", Images: 3400, Of: 10_000},
		executor.Transferred{Object: "s3://art/shop/state/snapshot/00000000000000000012", Upload: true, Bytes: 45_000_000, Size: 690_000_000},
		executor.Unanswered{Store: "https://minio.studio:9000", For: 10 * time.Second},
		executor.Behind{Results: 90},
		executor.Undelivered{
			Host: "delivery-eu1.bfl.ai", Since: outageBegan, Until: outageBegan.Add(9 * time.Minute), Buys: true,
			Err: &bfl.NetworkError{Host: "delivery-eu1.bfl.ai", Err: syscall.ECONNREFUSED},
		},
		executor.Delivered{Host: "delivery-eu1.bfl.ai", After: 90 * time.Second, Buys: true},
		executor.Undelivered{Looks: true, Since: outageBegan, Err: errors.New("the API failed (503 Service Unavailable)")},
		executor.Delivered{Looks: true, After: 20 * time.Second},
		executor.Waiting{Wait: state.Wait{Path: "s3://art/shop/state", Lapses: 15 * time.Second}},
	}
}

// SomeRecords returns outputs on record, one of them damaged.
func SomeRecords() map[string]state.OutputValue {
	return map[string]state.OutputValue{
		"list":    *OnRecord(`["a",1]`, `["tuple",["string","number"]]`),
		"hero":    *OnRecord(`"images/hero.png"`, `"string"`),
		"key":     {Value: json.RawMessage(`null`), Type: json.RawMessage(`"dynamic"`), Sensitive: true},
		"damaged": *OnRecord(`{"a":1}`, `"nonsense"`),
		"empty":   *OnRecord(`{}`, `["object",{}]`),
	}
}
