package machine

import (
	"maps"
	"strconv"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// object is a JSON object: an image's values by the names of the language. Lists are []any,
// references objects of "source" and "sha256".
type object = map[string]any

// put sets a value by an attribute's name: "prompt", "references[1]" or `labels["team"]`.
func put(o object, name string, value any) {
	base, index, key := attributePath(name)
	switch {
	case index >= 0:
		list, _ := o[base].([]any)
		for len(list) <= index {
			list = append(list, nil)
		}
		list[index] = value
		o[base] = list
	case key != nil:
		inner, _ := o[base].(object)
		if inner == nil {
			inner = object{}
			o[base] = inner
		}
		inner[*key] = value
	default:
		o[base] = value
	}
}

// attributePath takes an attribute's name apart. index is negative where the name has none.
func attributePath(name string) (base string, index int, key *string) {
	base, rest, ok := strings.Cut(name, "[")
	if !ok {
		return name, -1, nil
	}
	rest = strings.TrimSuffix(rest, "]")
	if n, err := strconv.Atoi(rest); err == nil && n >= 0 {
		return base, n, nil
	}
	if text, err := strconv.Unquote(rest); err == nil {
		return base, -1, &text
	}
	return name, -1, nil
}

// jsonValue returns an attribute's value as JSON has it.
func jsonValue(value any) any {
	r, ok := value.(image.Reference)
	if !ok {
		return value
	}
	o := object{}
	if name := r.Name(); name != "" {
		o["source"] = name
	}
	if r.SHA256 != "" {
		o["sha256"] = r.SHA256
	}
	return o
}

// addRecord adds what is known of an image that was made. What was made is told rather than what
// was asked: of a width, for one.
func addRecord(o object, img *state.Image) {
	o["path"] = img.Output.Path
	o["sha256"] = img.Output.SHA256
	o["width"] = img.Output.Width
	o["height"] = img.Output.Height
	o["format"] = img.Output.Format
	o["id"] = img.Result.TaskID
	o["cost"] = img.Result.Cost.USD()
	if img.Result.Seed != nil {
		o["seed"] = *img.Result.Seed
	}
	if img.Result.Prompt != "" {
		o["expanded_prompt"] = img.Result.Prompt
	}
	if img.Result.Simulated {
		o["simulated"] = true
	}
	if img.Candidate > 0 {
		o["candidate"], o["picked"] = img.Candidate, img.Picked
	}
	if img.Made != nil {
		o["edited"] = true
	}
	if len(img.Verdicts) > 0 {
		o["verdicts"] = img.Verdicts
	}
}

// recordedObject returns an image on record, and the marks of those of its arguments that are
// hidden.
func recordedObject(s *state.State, img *state.Image, hidden []string) (values, sensitive object) {
	values, sensitive = object{}, object{}
	// A damaged request was found when the state was read.
	asked, _ := s.Asked(img, nil)
	for _, a := range asked.Attributes() {
		put(values, a.Name, jsonValue(a.After))
	}
	addRecord(values, img)
	for _, name := range hidden {
		hide(values, sensitive, name)
	}
	return values, sensitive
}

// changeObjects are the values of an image before and after a change, as Terraform's format has
// them.
type changeObjects struct {
	// before and after are nil where there is no image.
	before, after                                 object
	afterUnknown, beforeSensitive, afterSensitive object
	replacePaths                                  []any
}

func objectsOf(c *planner.Change) changeObjects {
	o := changeObjects{before: object{}, after: object{}, afterUnknown: object{}, beforeSensitive: object{}, afterSensitive: object{}}
	all := c.Attributes()
	for i := range all {
		o.attribute(&all[i])
	}
	o.exports(c)
	for i := range all {
		// Hidden last, since what an image exports has names in common with its arguments.
		if a := &all[i]; a.Sensitive {
			hide(o.before, o.beforeSensitive, a.Name)
			hide(o.after, o.afterSensitive, a.Name)
		}
	}
	switch {
	case c.Frozen:
		o.freeze(c)
	case c.Action == planner.Import:
		// The image is there, if not on record: nothing about it changes.
		o.before, o.beforeSensitive = maps.Clone(o.after), o.afterSensitive
		delete(o.before, "estimated_cost")
	case c.Prior == nil:
		o.before = nil
	}
	if c.Desired == nil {
		o.after, o.afterUnknown = nil, object{}
	}
	return o
}

// freeze makes an image stay as it is, and tells what the configuration says instead.
func (o *changeObjects) freeze(c *planner.Change) {
	configured := object{}
	all := c.Attributes()
	for i := range all {
		switch a := &all[i]; {
		case !a.Changed():
		case a.Sensitive, a.Unknown:
			configured[a.Name] = nil
		default:
			configured[a.Name] = jsonValue(a.After)
		}
	}
	o.after, o.afterSensitive = maps.Clone(o.before), o.beforeSensitive
	o.after["frozen"], o.after["configured"] = true, configured
	o.afterUnknown, o.replacePaths = object{}, nil
}

// hide takes an argument's value out, where there is one, and marks it.
func hide(values, sensitive object, name string) {
	base, _, _ := attributePath(name)
	if _, ok := values[base]; ok {
		put(values, name, nil)
		put(sensitive, name, true)
	}
}

func (o *changeObjects) attribute(a *image.Attribute) {
	if a.Before != nil {
		put(o.before, a.Name, jsonValue(a.Before))
	}
	if a.After != nil {
		put(o.after, a.Name, jsonValue(a.After))
	}
	if a.Unknown {
		var unknown any = true
		if r, ok := a.After.(image.Reference); ok && r.Name() != "" {
			unknown = object{"sha256": true}
		}
		put(o.afterUnknown, a.Name, unknown)
	}
	if a.Forces && a.Changed() {
		base, index, key := attributePath(a.Name)
		path := []any{base}
		switch {
		case index >= 0:
			path = append(path, index)
		case key != nil:
			path = append(path, *key)
		}
		o.replacePaths = append(o.replacePaths, path)
	}
}

// resultNames are what only the making of an image tells.
var resultNames = []string{"sha256", "id", "format", "cost"}

// orElseResultNames are arguments whose value is told by the making where they are not given.
var orElseResultNames = []string{"width", "height", "seed"}

// exports adds what an image exports besides its arguments, and the price of making it.
func (o *changeObjects) exports(c *planner.Change) {
	if c.Prior != nil {
		addRecord(o.before, c.Prior)
	}
	if c.Desired == nil {
		return
	}
	switch {
	case c.Import() != nil:
		o.after["sha256"], o.after["width"], o.after["height"] = c.Import().SHA256, c.Import().Size.Width, c.Import().Size.Height
	case !c.Makes():
		if c.Prior != nil {
			addRecord(o.after, c.Prior)
		}
	case c.Origin == planner.Restore && c.Kept() != nil:
		addRecord(o.after, c.Kept())
	default:
		for _, name := range resultNames {
			o.afterUnknown[name] = true
		}
		for _, name := range orElseResultNames {
			if o.after[name] == nil {
				o.afterUnknown[name] = true
			}
		}
	}
	if path, ok := o.after["output"]; ok {
		o.after["path"] = path
	}
	if format, ok := o.after["output_format"]; ok && o.after["format"] == nil {
		o.after["format"] = format
		delete(o.afterUnknown, "format")
	}
	if c.Action == planner.NoOp {
		return
	}
	if c.PriceUnknown {
		o.after["price_unknown"] = true
	} else {
		o.after["estimated_cost"] = c.Cost.USD()
	}
	if c.CostUnknown {
		o.after["estimated_cost_is_minimum"] = true
	}
	o.making(c)
}

// making adds what is to be known before an image is made.
func (o *changeObjects) making(c *planner.Change) {
	if c.Makes() && c.Origin != 0 {
		o.after["origin"] = c.Origin.String()
	}
	if c.Origin == planner.Skipped {
		o.after["because"] = c.Lacks().String()
	}
	if view.MayStay(c) {
		o.after["conditional"] = true
	}
	if c.MayHaveBeenCharged() {
		o.after["may_have_been_charged"], o.after["uncertain_cost"] = true, c.Uncertain().USD()
	}
	if c.RecordedSeed() != nil {
		o.after["seed"] = *c.RecordedSeed()
		delete(o.afterUnknown, "seed")
	}
	if len(c.ModerationReasons()) > 0 {
		o.after["moderation_reasons"] = c.ModerationReasons()
	}
}
