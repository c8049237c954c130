package executor

import (
	"fmt"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// budget bounds what one apply spends. Owned by the coordinator.
type budget struct {
	// most is the limit, nil where there is none.
	most *bfl.Credits
	// spent is what the API charged; reserved is the estimate of what is being submitted, or was
	// and got no answer.
	spent, reserved bfl.Credits
}

// BudgetError says that a submission would exceed the budget.
type BudgetError struct{ Most, Spent, Next bfl.Credits }

func (e *BudgetError) Error() string {
	return fmt.Sprintf("the budget of %s is used up. %s is spent or reserved, and the next image costs %s. Raise the budget with -max-cost or in the budget block", e.Most.Dollars(), e.Spent.Dollars(), e.Next.Dollars())
}

// reserve sets aside the estimate of a submission, or refuses it.
func (b *budget) reserve(cost bfl.Credits) error {
	if b.most != nil && b.spent+b.reserved+cost > *b.most {
		return &BudgetError{*b.most, b.spent + b.reserved, cost}
	}
	b.reserved += cost
	return nil
}

// refund takes back a reservation: nothing was charged.
func (b *budget) refund(cost bfl.Credits) { b.reserved -= cost }

// charge turns a reservation into what the API charged.
func (b *budget) charge(reserved, charged bfl.Credits) {
	b.reserved -= reserved
	b.spent += charged
}
