package ecsdeploy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"deployer/internal/ecsservice"
	"deployer/internal/rawjson"
)

// outputOnly are the members of a task definition that ECS sets, and that
// RegisterTaskDefinition does not take.
var outputOnly = map[string]bool{
	"taskDefinitionArn": true, "revision": true, "status": true, "requiresAttributes": true, "compatibilities": true,
	"registeredAt": true, "registeredBy": true, "deregisteredAt": true, "deleteRequestedAt": true,
}

// body returns the body of the request that registers in, a clone of revision r with
// other images and tags. It is the task definition as ECS returned it, without the
// members that ECS sets, and with in's images and tags: members that the SDK does not
// know are kept. If ECS's answer was not kept, it is what the SDK would send.
func body(r ecsservice.Revision, in *ecs.RegisterTaskDefinitionInput) ([]byte, error) {
	if len(r.Raw) == 0 {
		return wire(in)
	}
	members, err := rawjson.Read(r.Raw)
	if err != nil {
		return nil, fmt.Errorf("reading task definition %q: %w", r.ARN(), err)
	}
	var kept rawjson.Object
	for _, m := range members {
		switch {
		case outputOnly[m.Name], m.Name == "tags", isRole[m.Name] && string(m.Value) == `""`:
			continue
		case m.Name == "containerDefinitions":
			if m.Value, err = withImages(m.Value, in); err != nil {
				return nil, fmt.Errorf("reading the containers of task definition %q: %w", r.ARN(), err)
			}
		}
		kept = append(kept, m)
	}
	if len(in.Tags) > 0 {
		tags := make([]map[string]string, len(in.Tags))
		for i, t := range in.Tags {
			tags[i] = map[string]string{"key": aws.ToString(t.Key), "value": aws.ToString(t.Value)}
		}
		kept = append(kept, rawjson.Member{Name: "tags", Value: rawjson.Encode(tags)})
	}
	return kept.Bytes(), nil
}

// isRole are the members of a task definition that name its roles. ECS may return
// them empty, and does not accept them so.
var isRole = map[string]bool{"taskRoleArn": true, "executionRoleArn": true}

// withImages returns container definitions with the images of in.
func withImages(raw json.RawMessage, in *ecs.RegisterTaskDefinitionInput) (json.RawMessage, error) {
	var containers []json.RawMessage
	if err := json.Unmarshal(raw, &containers); err != nil {
		return nil, err
	}
	if len(containers) != len(in.ContainerDefinitions) {
		return nil, fmt.Errorf("%d containers, want %d", len(containers), len(in.ContainerDefinitions))
	}
	for i, c := range containers {
		members, err := rawjson.Read(c)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(members, func(m rawjson.Member) bool { return m.Name == "image" })
		var was string
		now := in.ContainerDefinitions[i].Image
		if at < 0 || json.Unmarshal(members[at].Value, &was) != nil || now != nil && *now == was {
			continue // as it came
		}
		members[at].Value = rawjson.Encode(now)
		containers[i] = rawjson.Object(members).Bytes()
	}
	return append(append(json.RawMessage{'['}, bytes.Join(toBytes(containers), []byte{','})...), ']'), nil
}

func toBytes(all []json.RawMessage) [][]byte {
	out := make([][]byte, len(all))
	for i, one := range all {
		out[i] = one
	}
	return out
}

// sending makes one call of the SDK send a body in place of its own. The SDK still
// checks its input, signs, and retries: each attempt sends the same body.
func sending(body []byte) func(*ecs.Options) {
	replace := func(
		ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
	) (middleware.SerializeOutput, middleware.Metadata, error) {
		request, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("a request of type %T", in.Request)
		}
		request, err := request.SetStream(bytes.NewReader(body))
		if err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, err
		}
		in.Request = request
		return next.HandleSerialize(ctx, in)
	}
	add := func(s *middleware.Stack) error {
		return s.Serialize.Add(middleware.SerializeMiddlewareFunc("SendBody", replace), middleware.After)
	}
	return func(o *ecs.Options) { o.APIOptions = append(o.APIOptions, add) }
}
