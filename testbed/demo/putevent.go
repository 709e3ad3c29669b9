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
)

// putEvent sends one event to an account's default bus, as `aws events put-events` does. Unlike that command it returns
// an error if the entry failed.
func (d *demo) putEvent(ctx context.Context, account, source, detailType, detail string) error {
	body, err := json.Marshal(map[string]any{
		"Entries": []map[string]string{{"Source": source, "DetailType": detailType, "Detail": detail}},
	})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.cloud.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "AWSEvents.PutEvents")
	sum := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: account, SecretAccessKey: "any"}
	err = v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "events", accounts.Region,
		time.Now())
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("sending a %s event: %w", detailType, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var result struct{ FailedEntryCount int }
	err = json.Unmarshal(answer, &result)
	if err != nil || response.StatusCode != http.StatusOK || result.FailedEntryCount != 0 {
		return fmt.Errorf("sending a %s event: HTTP %d: %s", detailType, response.StatusCode, answer)
	}
	return nil
}
