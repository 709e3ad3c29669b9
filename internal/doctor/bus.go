package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"deployer/internal/iam"
)

// bus reports whether the default bus accepts push events from the accounts of the
// registries.
func (f *findings) bus(ctx context.Context, c *checker, pushes []event) {
	const check = "bus policy"
	pushes = slices.DeleteFunc(slices.Clone(pushes), func(e event) bool { return e.account == c.env.AccountID })
	if len(pushes) == 0 {
		f.ok(check, "not needed: pushes happen in this account")
		return
	}
	out, err := c.events.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{})
	if err != nil {
		f.notChecked(c, check, "events:DescribeEventBus", c.arn("events", "event-bus/default"), err)
		return
	}
	document := &iam.Document{}
	if text := aws.ToString(out.Policy); text != "" {
		if document, err = iam.Parse([]byte(text)); err != nil {
			f.add(check, Unknown, "not checked: "+err.Error(), "")
			return
		}
	}
	var accepted, refused []string
	for _, push := range pushes {
		decision := document.Evaluate(iam.Request{
			Principal: "arn:" + c.caller.Partition + ":iam::" + push.account + ":root", Account: push.account,
			Action: "events:PutEvents", Resource: aws.ToString(out.Arn),
			Context: map[string]string{"events:source": push.source, "events:detail-type": push.detailType},
		})
		list := &accepted
		if decision != iam.Allow {
			list = &refused
		}
		if !slices.Contains(*list, push.account) {
			*list = append(*list, push.account)
		}
	}
	if len(refused) > 0 {
		f.add(check, Problem, "the default bus does not accept push events from the registry's account "+
			strings.Join(refused, ", ")+": pushes there do not deploy here", fmt.Sprintf("in account %s, put the "+
			"policy on the bus that this prints: deployer policy bus -f %s; the stack does it with the parameters "+
			"EcrAccountId and ExtraRegistryAccounts", c.env.AccountID, c.env.File))
		return
	}
	f.ok(check, "the default bus accepts push events from account %s", strings.Join(accepted, ", "))
}
