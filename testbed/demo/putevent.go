package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"deployer/testbed/accounts"
)

// putEvent sends one event to an account's default bus, as `aws events put-events` does. Unlike that command it
// returns an error if the entry failed.
func (d *demo) putEvent(ctx context.Context, account, source, detailType, detail string) error {
	body, err := json.Marshal(map[string]any{
		"Entries": []map[string]string{{"Source": source, "DetailType": detailType, "Detail": detail}},
	})
	if err != nil {
		return err
	}
	a := accounts.Connect(d.cloud.URL, account, accounts.Region)
	answer, err := a.Send(ctx, http.MethodPost, "events", "", "AWSEvents.PutEvents", string(body))
	if err != nil {
		return fmt.Errorf("sending a %s event: %w", detailType, err)
	}
	var result struct{ FailedEntryCount int }
	if err := json.Unmarshal(answer, &result); err != nil || result.FailedEntryCount != 0 {
		return fmt.Errorf("sending a %s event: %s", detailType, answer)
	}
	return nil
}
