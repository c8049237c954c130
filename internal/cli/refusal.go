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
	workspace.Abandon: "-abandon",
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
			return fmt.Errorf("the webhooks of provider %s have no secret: the environment variable %s is not set. "+
				"Set it to a long random text of your own, or take the webhook block out", e.Provider, e.Variable)
		}
		return fmt.Errorf("provider %s has no key: the environment variable %s is not set. "+
			"Set it to a key from %s, or try the plan without one with -simulate", e.Provider, e.Variable, bfl.Dashboard)
	case *workspace.ListenError:
		return explain("Provider %s cannot receive webhooks at %s: %w.\nAnother apply, or another program, may be listening there. "+
			"Nothing was submitted.", e.Provider, e.Address, e.Err)
	case *workspace.PathTakenError:
		if e.By != nil {
			return explain("%s cannot be restored to %s, which is the file of %s now.\n"+
				"Nothing was changed. Give %[3]s another path with its argument output, and apply that first.", e.Address, e.Path, e.By)
		}
		return explain("%s cannot be restored to %s, where there is a file that fluxbatch did not make, or does not remember.\n"+
			"Nothing was changed. Move that file away first.", e.Address, e.Path)
	case *workspace.PlanFileError:
		if e.Newer == "" && e.Err == nil {
			return fmt.Errorf("the file %s is not a plan of fluxbatch plan -out, and apply takes such a plan or a directory", e.Path)
		}
	}
	if errors.Is(err, workspace.ErrTaskOpen) {
		return fmt.Errorf("%w. Run fluxbatch apply first", err)
	}
	return err
}

func optionInWords(e *workspace.OptionError) error {
	flag := optionFlags[e.Option]
	switch {
	case e.Err != nil:
		return fmt.Errorf("%s: %w", flag, e.Err)
	case e.Option == workspace.Abandon:
		return explain("there is no task of %s on record for -abandon to give up.\n%s.", e.Text, addressHint)
	case e.Option == workspace.Replace:
		where, hint := "the configuration has", addressHint
		if e.Limited {
			where = "-target and -exclude leave"
		}
		if e.Sibling != nil {
			hint = "Each instance of the block has an address of its own, such as " + shellWord(e.Sibling.String())
		}
		return explain("%s no %s for -replace to make anew.\n%s.", where, e.Text, hint)
	default:
		return fmt.Errorf("%s matches no image, neither in the configuration nor in the state. %s", e.Text, addressHint)
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
	most, summary := over.Most.ExactDollars(), over.Summary
	if c := summary.Uncapped; c != nil {
		d.Summary = "The budget cannot be kept"
		d.Detail = fmt.Sprintf("No price is known of %s, which %s is made with, so nothing tells whether the budget of %s is enough. Make it without a "+
			"budget, leave it out with -exclude, or declare its endpoint under another name and with a price, in a model block.",
			c.Desired.Model.Name, c.Address, most)
		return hcl.Diagnostics{d}
	}
	estimate := fmt.Sprintf("It is estimated at %s", summary.Reserve.ExactDollars())
	if summary.Unpriced > 0 {
		estimate += fmt.Sprintf(", where what has an unknown price (%d of the images) counts as the highest price known of its model", summary.Unpriced)
	}
	d.Detail = fmt.Sprintf("%s, and the budget is %s. Raise the budget, or plan a part of it with -target or -exclude.", estimate, most)
	return hcl.Diagnostics{d}
}

// shortages warns of accounts that have less than the plan is estimated to cost.
func shortages(short []workspace.Shortage) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, s := range short {
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning,
			Summary:  "The account has not enough credits",
			Detail: fmt.Sprintf("The plan is estimated at %s for the provider %s, and its account has %s. The apply will end when they are used up. "+
				"Add credits at %s, or apply a part of the plan with -target.", s.Cost.ExactDollars(), s.Provider, s.Left.ExactDollars(), bfl.Dashboard),
		})
	}
	return diags
}

// adviseUnusable says what to do about changed files that are no images.
func adviseUnusable(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if _, ok := d.Extra.(workspace.UnusableFile); ok {
			d.Detail += " Plan without -refresh-only to see what becomes of it."
		}
	}
	return diags
}
