package emulator_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

func TestRouting(t *testing.T) {
	t.Parallel()
	const (
		ecsTarget = "AmazonEC2ContainerServiceV20141113.ListClusters"
		json      = "application/x-amz-json-1.1"
		form      = "application/x-www-form-urlencoded"
	)
	tests := []struct {
		name          string
		target        string
		contentType   string
		authorization string
		body          string
		wantStatus    int
		want          string
	}{{
		name: "a call", target: ecsTarget, contentType: json,
		authorization: emulatortest.Authorization(dev, "us-east-1", "ecs"), body: `{}`,
		wantStatus: 200, want: `{"clusterArns":[]}`,
	}, {
		name: "not signed", target: ecsTarget, contentType: json, body: `{}`,
		wantStatus: 403, want: `{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication ` +
			`Token"}`,
	}, {
		name: "signed otherwise", target: ecsTarget, contentType: json, authorization: "Bearer x", body: `{}`,
		wantStatus: 403,
		want: `{"__type":"MissingAuthenticationTokenException","message":"Authorization header requires ` +
			`'Credential' parameter, 'Signature' and 'SignedHeaders' of AWS Signature Version 4"}`,
	}, {
		name: "an access key id of no account", target: ecsTarget, contentType: json,
		authorization: emulatortest.Authorization("AKIAIOSFODNN7EXAMPLE", "us-east-1", "ecs"), body: `{}`,
		wantStatus: 403, want: `{"__type":"UnrecognizedClientException","message":"The security token included in ` +
			`the request is invalid."}`,
	}, {
		name: "signed for another service", target: ecsTarget, contentType: json,
		authorization: emulatortest.Authorization(dev, "us-east-1", "ecr"), body: `{}`,
		wantStatus: 400, want: `{"__type":"InvalidSignatureException","message":"Credential should be scoped to ` +
			`correct service: 'ecs'."}`,
	}, {
		name: "a body that is not JSON", target: ecsTarget, contentType: json,
		authorization: emulatortest.Authorization(dev, "us-east-1", "ecs"), body: `{`,
		wantStatus: 400, want: `{"__type":"SerializationException","message":"unexpected end of JSON input"}`,
	}, {
		name: "a role without policies", target: ecsTarget, contentType: json,
		authorization: emulatortest.Authorization(dev+"-Unknown", "us-east-1", "ecs"), body: `{}`,
		wantStatus: 400,
		want: `{"Message":"User: arn:aws:sts::111111111111:assumed-role/Unknown/session is not authorized to ` +
			`perform: ecs:ListClusters on resource: * because no identity-based policy allows the ecs:ListClusters ` +
			`action","__type":"AccessDeniedException"}`,
	}, {
		name: "STS", contentType: form, authorization: emulatortest.Authorization(dev, "us-east-1", "sts"),
		body:       "Action=GetCallerIdentity&Version=2011-06-15",
		wantStatus: 200,
		want: `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
			`<Arn>arn:aws:iam::111111111111:root</Arn><UserId>111111111111</UserId><Account>111111111111</Account>` +
			`</GetCallerIdentityResult></GetCallerIdentityResponse>`,
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := emulatortest.New(t, emulator.Options{})
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", tt.contentType)
			if tt.target != "" {
				request.Header.Set("X-Amz-Target", tt.target)
			}
			if tt.authorization != "" {
				request.Header.Set("Authorization", tt.authorization)
			}
			status, body := emulatortest.Send(t, request)
			if status != tt.wantStatus {
				t.Errorf("status %d, want %d", status, tt.wantStatus)
			}
			if diff := cmp.Diff(tt.want, body); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSTSErrorIsXML(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	_, err := w.STS("AKIAIOSFODNN7EXAMPLE").GetCallerIdentity(t.Context(), nil)
	emulatortest.WantError(t, err, "InvalidClientTokenId", "The security token included in the request is invalid.")
}

func TestUnknownOperation(t *testing.T) {
	t.Parallel()
	e := emulator.New(emulator.Options{}) // not by emulatortest, which fails on unknown operations
	w := emulatortest.Serve(t, e)
	_, err := w.ECS(dev).StopTask(context.Background(), &ecs.StopTaskInput{Task: new("web")})
	emulatortest.WantError(t, err, "UnknownOperationException", "The requested operation is not recognized by the "+
		"service.")
	if diff := cmp.Diff([]string{"ecs:StopTask"}, e.UnknownOperations()); diff != "" {
		t.Errorf("unknown operations (-want +got):\n%s", diff)
	}
}

func TestAccountsAndRegionsAreApart(t *testing.T) {
	t.Parallel()
	w := emulatortest.New(t, emulator.Options{})
	w.Do(t, dev, "ecs:CreateCluster", `{"clusterName":"c"}`)
	w.Do(t, dev, "ecr:CreateRepository", `{"repositoryName":"myproject_backend"}`)
	west := w.Config(dev)
	west.Region = "us-west-2"
	for name, client := range map[string]*ecs.Client{"another account": w.ECS(prod),
		"another region": ecs.NewFromConfig(west)} {
		listed, err := client.ListClusters(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(listed.ClusterArns) != 0 {
			t.Errorf("%s has the clusters %q", name, listed.ClusterArns)
		}
	}
}
