package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
)

// optionFlags are the flags for what can be asked of a plan.
var optionFlags = map[workspace.Option]string{
	workspace.Targets: "-target", workspace.Listed: "-target-file", workspace.Excludes: "-exclude", workspace.Replace: "-replace",
	workspace.Abandon: "-abandon", workspace.Reroll: "-reroll",
}

const addressHint = "An address is written as in the plan, such as image.logo or 'image.card[\"a\"]'"

// inWords says in the words of the command line what a workspace refuses. Other errors speak for
// themselves.
func inWords(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all, texts := joined.Unwrap(), []string{}
		for _, one := range all {
			texts = append(texts, one.Error())
		}
		if strings.Join(texts, "\n") != err.Error() {
			return err
		}
		worded := make([]error, len(all))
		for i, one := range all {
			worded[i] = inWords(one)
		}
		return errors.Join(worded...)
	}
	switch e := err.(type) {
	case *workspace.OptionError:
		return optionInWords(e)
	case *workspace.UnsetError:
		if e.Webhook {
			return fmt.Errorf("the webhooks of provider %s have no secret. The environment variable %s is not set. Set it to a long random text, or remove the webhook block", e.Provider, e.Variable)
		}
		return fmt.Errorf("provider %s has no key. The environment variable %s is not set. Set it to a key from %s, or use -simulate, which needs none", e.Provider, e.Variable, bfl.Dashboard)
	case *workspace.QuotedKeyError:
		return explain("the key of provider %s is in quotes.\nThe quotes are part of the value of the environment variable %s, and the API would "+
			"refuse them. Set it without them, as in%s", e.Provider, e.Variable, toType("export "+e.Variable+"=bfl_..."))
	case *workspace.ListenError:
		return explain("Provider %s cannot receive webhooks at %s: %w.\nAnother apply or another program may be listening there. Nothing was submitted.", e.Provider, e.Address, e.Err)
	case *workspace.PathTakenError:
		if e.By != nil {
			return explain("%s cannot be restored to %s, which is now the file of %s.\n"+
				"Nothing was changed. Give %[3]s another path with its argument output, and apply that first.", e.Address, e.Path, e.By)
		}
		return explain("%s cannot be restored to %s, where there is a file that fluxbatch did not make, or does not remember.\n"+
			"Nothing was changed. Move that file away first.", e.Address, e.Path)
	case *workspace.PlanFileError:
		if e.Newer == "" && e.Err == nil {
			return fmt.Errorf("the file %q is not a saved plan. Use a directory, or a plan that fluxbatch plan -out saved", e.Path)
		}
	}
	if errors.Is(err, workspace.ErrTaskOpen) {
		return fmt.Errorf("%w. Run fluxbatch apply first", err)
	}
	return err
}

// quotedWord returns what somebody typed in quotes that are none of its own.
func quotedWord(text string) string {
	if strings.Contains(text, `"`) {
		return shellWord(text)
	}
	return `"` + text + `"`
}

func optionInWords(e *workspace.OptionError) error {
	flag := optionFlags[e.Option]
	switch {
	case e.Err != nil:
		return fmt.Errorf("%s: %w", flag, e.Err)
	case e.Option == workspace.Abandon:
		return explain("-abandon %s finds no task on record.\n%s.", quotedWord(e.Text), addressHint)
	case e.Chosen != nil:
		return explain("-reroll draws another seed for an image without candidates, and %s has some.\nTo ask for further candidates, run:\n\n    fluxbatch pick -reroll %s",
			*e.Chosen, shellWord(e.Chosen.String()))
	case e.Option == workspace.Replace, e.Option == workspace.Reroll:
		where, hint := "the configuration has", addressHint
		if e.Limited {
			where = "-target and -exclude leave"
		}
		if e.Sibling != nil {
			hint = "Each instance of the block has an address of its own, such as " + shellWord(e.Sibling.String())
		}
		return explain("%s no %s for %s.\n%s.", where, quotedWord(e.Text), flag, hint)
	default:
		return fmt.Errorf("%s matches no image in the configuration or the state. %s", quotedWord(e.Text), addressHint)
	}
}

// overBudget says why a plan is not carried out for its price, nil where it may be. The plan is
// shown all the same: it tells what to do without.
func overBudget(err error) hcl.Diagnostics {
	over, ok := errors.AsType[*workspace.BudgetError](err)
	if !ok {
		return nil
	}
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "The plan is over the budget"}
	most, summary := over.Most.Dollars(), over.Summary
	if c := summary.Uncapped; c != nil {
		d.Summary = "The budget cannot be kept"
		d.Detail = fmt.Sprintf("%[2]s is made with %[1]s, whose price is unknown, so nobody can say whether the budget of %[3]s is enough. Remove the budget, leave the image out with -exclude, or declare the endpoint under another name, with a price, in a model block.",
			c.Desired.Model.Name, c.Address, most)
		return hcl.Diagnostics{d}
	}
	estimate := fmt.Sprintf("It is estimated at %s", summary.Reserve.Dollars())
	if summary.Unpriced > 0 {
		estimate += fmt.Sprintf(", where what has an unknown price (%d of the images) counts as the highest price known of its model", summary.Unpriced)
	}
	d.Detail = fmt.Sprintf("%s, but the budget is %s. Raise the budget, or plan a part with -target or -exclude.", estimate, most)
	return hcl.Diagnostics{d}
}

// shortages warns of accounts that have less than the plan is estimated to cost.
func shortages(short []workspace.Shortage) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, s := range short {
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning,
			Summary:  "The account has not enough credits",
			Detail:   fmt.Sprintf("The plan is estimated at %s for the provider %s, but its account has %s. The apply will stop when that is used up. Add credits at %s, or apply a part of the plan with -target.", s.Cost.Dollars(), s.Provider, s.Left.Dollars(), bfl.Dashboard),
		})
	}
	return diags
}

// adviseUnusable says what to do about changed files that are no images.
func adviseUnusable(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if _, ok := d.Extra.(workspace.UnusableFile); ok {
			d.Detail += " Plan without -refresh-only to see what happens to it."
		}
	}
	return diags
}
