package ecsservice

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// KeepTaskDefinition makes one call of the SDK also keep the member taskDefinition of
// ECS's answer as it came: with the members that the SDK does not know, and with
// numbers as ECS writes them. If the call fails, raw is not changed.
func KeepTaskDefinition(raw *json.RawMessage) func(*ecs.Options) {
	keep := func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		response, ok := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !ok || response.Body == nil {
			return out, metadata, err
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return out, metadata, fmt.Errorf("reading ECS's answer: %w", err)
		}
		response.Body = io.NopCloser(bytes.NewReader(body))
		var answer struct {
			TaskDefinition json.RawMessage `json:"taskDefinition"`
		}
		if json.Unmarshal(body, &answer) == nil && response.StatusCode == 200 {
			*raw = answer.TaskDefinition
		}
		return out, metadata, nil
	}
	add := func(s *middleware.Stack) error {
		return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("KeepTaskDefinition", keep), middleware.After)
	}
	return func(o *ecs.Options) { o.APIOptions = append(o.APIOptions, add) }
}
