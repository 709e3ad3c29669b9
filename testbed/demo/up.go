package main

import (
	"context"
	"fmt"
	"io"

	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// showHelp pushes an image that can be deployed, prints how to send events to the environment, and from then on prints
// the functions' logs.
func (d *demo) showHelp(ctx context.Context, out io.Writer) error {
	if err := cloud.PushTask(ctx, d.cloud.Accounts["dev"]); err != nil {
		return err
	}
	_, err := d.cloud.Accounts["dev"].Push(ctx, cloud.Project+"_backend", "backend v2", "git-abc123f")
	if err != nil {
		return err
	}
	if err := d.cloud.Settle(ctx); err != nil {
		return err
	}
	d.log.setCopy(out)
	fmt.Fprintf(out, `AWS is emulated at %[1]s, with the accounts dev %[2]s, staging %[3]s and prod %[4]s.
An account id is the access key id of its administrator; any secret access key works.

Deploy the backend to prod, in another terminal:

  export AWS_ENDPOINT_URL=%[1]s AWS_ACCESS_KEY_ID=%[4]s AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION=us-east-1
  aws events put-events --endpoint-url %[1]s --entries 'Source=action.production,DetailType=DEPLOY,Detail="{\"service\":\"backend\",\"tag\":\"git-abc123f\"}"'
  aws ecs describe-services --endpoint-url %[1]s --cluster myproject_cluster_prod --services myproject_service_prod --query 'services[0].deployments'

The functions' logs follow. Press Ctrl-C to stop.
`, d.cloud.URL, accounts.Dev, accounts.Staging, accounts.Prod)
	return nil
}
