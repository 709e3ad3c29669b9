package environment

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStackNames checks the names of the stack's function and queues, in two partitions.
func TestStackNames(t *testing.T) {
	t.Parallel()
	for region, want := range map[string][]string{
		"us-east-1": {"shop_deployer_prod", "arn:aws:lambda:us-east-1:333333333333:function:shop_deployer_prod",
			"https://sqs.us-east-1.amazonaws.com/333333333333/shop_deployer_failed_prod",
			"https://sqs.us-east-1.amazonaws.com/333333333333/shop_deployer_undelivered_prod"},
		"cn-north-1": {"shop_deployer_prod", "arn:aws-cn:lambda:cn-north-1:333333333333:function:shop_deployer_prod",
			"https://sqs.cn-north-1.amazonaws.com.cn/333333333333/shop_deployer_failed_prod",
			"https://sqs.cn-north-1.amazonaws.com.cn/333333333333/shop_deployer_undelivered_prod"},
	} {
		e := &Environment{Project: "shop", Name: "prod", Region: region, AccountID: "333333333333"}
		got := []string{e.FunctionName(), e.FunctionARN(), e.FailedQueueURL(), e.UndeliveredQueueURL()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", region, diff)
		}
	}
}
