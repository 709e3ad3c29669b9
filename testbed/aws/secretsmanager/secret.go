// Package secretsmanager emulates GetSecretValue of AWS Secrets Manager (Secrets Manager API reference).
package secretsmanager

import (
	"strings"
	"time"

	"deployer/testbed/aws/api"
	"deployer/testbed/aws/kms"
)

// A Secret is a secret with one version.
type Secret struct {
	Name, ARN, Version, Value string
	Key                       string // ARN of its customer managed key; "" for the key aws/secretsmanager
	Created                   time.Time
}

// A Server is Secrets Manager in all accounts and regions.
type Server struct {
	backend *api.Backend
	events  api.Publisher
	secrets map[api.Scope]map[string]*Secret // by name
}

// New returns a Secrets Manager without secrets.
func New(backend *api.Backend, events api.Publisher) *Server {
	return &Server{backend: backend, events: events, secrets: map[api.Scope]map[string]*Secret{}}
}

// Operations returns the operations that are emulated.
func (s *Server) Operations() api.Operations {
	return api.Operations{
		"secretsmanager:DescribeSecret": api.JSON(s.describeSecret),
		"secretsmanager:GetSecretValue": api.JSON(s.getSecretValue),
	}
}

var errNotFound = api.NewError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")

// Put sets the value of a secret and returns its ARN, which ends in six random characters. A new version gets the
// staging label AWSCURRENT, and Secrets Manager sends the event of that (Secrets Manager user guide, "Secret Label
// Updated event").
func (s *Server) Put(scope api.Scope, name, value string) (arn string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	if s.secrets[scope] == nil {
		s.secrets[scope] = map[string]*Secret{}
	}
	secret, ok := s.secrets[scope][name]
	if !ok {
		// Letters and digits, as in all of AWS's examples: with a hyphen, the name would end elsewhere.
		suffix := strings.NewReplacer("-", "", "_", "").Replace(s.backend.NewToken())[:6]
		secret = &Secret{Name: name, ARN: secretARN(scope, name) + "-" + suffix}
		s.secrets[scope][name] = secret
	}
	secret.Value, secret.Version, secret.Created = value, s.backend.NewUUID(), s.backend.Clock()
	if ok {
		s.events.Publish(api.Event{Scope: scope, Time: s.backend.Clock(), Source: "aws.secretsmanager",
			DetailType: "Secret Label Updated", Resources: []string{secret.ARN},
			Detail: api.Object{"name": name, "labelUpdated": "AWSCURRENT", "versionId": secret.Version}})
	}
	return secret.ARN
}

// Trail sends the event that CloudTrail delivers about a secret's rotation, such as RotationSucceeded. It has no
// resources, and names the secret in additionalEventData (Secrets Manager user guide, "Match events using EventBridge",
// and CloudTrail user guide, "Non-API events").
func (s *Server) Trail(scope api.Scope, name, eventName string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	const service = "secretsmanager.amazonaws.com"
	now := s.backend.Clock()
	s.events.Publish(api.Event{Scope: scope, Time: now, Source: "aws.secretsmanager",
		DetailType: "AWS Service Event via CloudTrail", Resources: []string{},
		Detail: api.Object{"eventVersion": "1.08", "eventID": s.backend.NewUUID(), "eventName": eventName,
			"eventTime": now.UTC().Format(time.RFC3339), "eventSource": service, "awsRegion": scope.Region,
			"userIdentity":    api.Object{"accountId": scope.Account, "invokedBy": service},
			"sourceIPAddress": service, "userAgent": service, "requestParameters": nil, "responseElements": nil,
			"additionalEventData": api.Object{"SecretId": s.secrets[scope][name].ARN}, "readOnly": false,
			"eventType": "AwsServiceEvent", "managementEvent": true, "eventCategory": "Management",
			"recipientAccountId": scope.Account}})
}

// Encrypt gives a secret a customer managed key.
func (s *Server) Encrypt(scope api.Scope, name, key string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.secrets[scope][name].Key = key
}

func secretARN(scope api.Scope, name string) string {
	return scope.ARN("secretsmanager", "secret:"+name)
}

// Get checks that the caller may read the secret with the name or the ARN, and returns it.
func (s *Server) Get(r *api.Request, id string) (*Secret, *api.Error) {
	found, err := s.find(r, "secretsmanager:GetSecretValue", id)
	if err != nil {
		return nil, err
	}
	// Secrets Manager user guide, "Secret encryption and decryption in AWS Secrets Manager".
	if err := kms.Use(r, "secretsmanager", found.Key, kms.Decrypt); err != nil {
		return nil, &api.Error{Status: err.Status, Code: err.Code, Message: "Access to KMS is not allowed"}
	}
	return found, nil
}

// find checks that the caller may do something with the secret with the name or the ARN, and returns it.
func (s *Server) find(r *api.Request, action, id string) (*Secret, *api.Error) {
	scope := r.Scope()
	arn := secretARN(scope, id)
	if service, owner, _, ok := api.SplitARN(id); ok && service == "secretsmanager" {
		scope, arn = owner, id
	}
	var found *Secret
	for name, secret := range s.secrets[scope] {
		if name == id || secret.ARN == id {
			found, arn = secret, secret.ARN
		}
	}
	if err := r.Authorize(api.Access{Action: action, Resource: arn}); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, errNotFound
	}
	return found, nil
}

// describeSecret returns what a secret is, without its value.
func (s *Server) describeSecret(r *api.Request, in getSecretValueInput) (any, *api.Error) {
	secret, err := s.find(r, r.Name(), in.ID)
	if err != nil {
		return nil, err
	}
	out := api.Object{"ARN": secret.ARN, "Name": secret.Name, "CreatedDate": api.Timestamp(secret.Created)}
	if secret.Key != "" { // left out for aws/secretsmanager (Secrets Manager API reference, "DescribeSecret")
		out["KmsKeyId"] = secret.Key
	}
	return out, nil
}

type getSecretValueInput struct {
	ID string `json:"SecretId"`
}

func (s *Server) getSecretValue(r *api.Request, in getSecretValueInput) (any, *api.Error) {
	secret, err := s.Get(r, in.ID)
	if err != nil {
		return nil, err
	}
	return api.Object{
		"ARN": secret.ARN, "Name": secret.Name, "SecretString": secret.Value, "VersionId": secret.Version,
		"VersionStages": []string{"AWSCURRENT"}, "CreatedDate": api.Timestamp(secret.Created),
	}, nil
}
