package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// putEvent sends one event to an account's default bus, as `aws events
// put-events` does, and looks at what became of the entry, as that does not.
func (s *stack) putEvent(ctx context.Context, account, source, detailType, detail string) error {
	body, err := json.Marshal(map[string]any{"Entries": []map[string]string{{"Source": source, "DetailType": detailType, "Detail": detail}}})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "AWSEvents.PutEvents")
	sum := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: account, SecretAccessKey: "any"}
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "events", accounts.Region, time.Now()); err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("putting an event: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var result struct{ FailedEntryCount int }
	if err := json.Unmarshal(answer, &result); err != nil || response.StatusCode != http.StatusOK || result.FailedEntryCount != 0 {
		return fmt.Errorf("putting an event: HTTP %d: %s", response.StatusCode, answer)
	}
	return nil
}

// announce puts an image into the registry that can be deployed, tells how to
// reach the stack, and from then on prints what the functions log.
func (s *stack) announce(ctx context.Context, out io.Writer) error {
	if _, err := s.Accounts["dev"].Push(ctx, cloud.Project+"_backend", "backend v2", "git-abc123f"); err != nil {
		return err
	}
	if err := s.Settle(ctx); err != nil {
		return err
	}
	s.said.mu.Lock()
	s.said.also = out
	s.said.mu.Unlock()
	fmt.Fprintf(out, `AWS is emulated at %[1]s, with dev %[2]s, staging %[3]s and prod %[4]s.
An access key id of 12 digits is that account's administrator; the secret is any text.

Deploy the backend to prod, in another terminal:

  export AWS_ENDPOINT_URL=%[1]s AWS_ACCESS_KEY_ID=%[4]s AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION=us-east-1
  aws events put-events --endpoint-url %[1]s --entries 'Source=action.production,DetailType=DEPLOY,Detail="{\"service\":\"backend\",\"tag\":\"git-abc123f\"}"'
  aws ecs describe-services --endpoint-url %[1]s --cluster myproject_cluster_prod --services myproject_service_prod --query 'services[0].deployments'

The functions' logs follow. Interrupt to stop.
`, s.URL, accounts.Dev, accounts.Staging, accounts.Prod)
	return nil
}
