// Package ssm emulates GetParameter of AWS Systems Manager (Systems Manager API reference), which also returns
// secrets of Secrets Manager (Systems Manager user guide, "Referencing AWS Secrets Manager secrets from Parameter Store
// parameters").
package ssm

import (
	"regexp"
	"strings"
	"time"

	"deployer/testbed/aws/api"
	"deployer/testbed/aws/kms"
	"deployer/testbed/aws/secretsmanager"
)

// secretPrefix begins the names of parameters that are secrets of Secrets Manager.
const secretPrefix = "/aws/reference/secretsmanager/"

var nameForm = regexp.MustCompile(`^/?[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*$`)

// Secrets returns secrets that a caller may read.
type Secrets interface {
	Get(r *api.Request, id string) (*secretsmanager.Secret, *api.Error)
}

// A Server is Parameter Store in all accounts and regions.
type Server struct {
	backend    *api.Backend
	secrets    Secrets
	events     api.Publisher
	parameters map[api.Scope]map[string]*parameter // by name
}

// A parameter is a SecureString.
type parameter struct {
	name, value string
	key         string // ARN of its customer managed key; "" for the key aws/ssm
	version     int
	modified    time.Time
}

// New returns a Parameter Store without parameters.
func New(backend *api.Backend, secrets Secrets, events api.Publisher) *Server {
	return &Server{backend: backend, secrets: secrets, events: events,
		parameters: map[api.Scope]map[string]*parameter{}}
}

// Operations returns the operations that are emulated.
func (s *Server) Operations() api.Operations {
	return api.Operations{
		"ssm:DescribeParameters": api.JSON(s.describeParameters), "ssm:GetParameter": api.JSON(s.getParameter),
	}
}

// Put sets a SecureString, such as /deployer/slack, and sends the event of its change (Systems Manager user guide,
// "Amazon EventBridge event examples for Systems Manager").
func (s *Server) Put(scope api.Scope, name, value string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	version, operation := 1, "Create"
	if old, ok := s.parameters[scope][name]; ok {
		version, operation = old.version+1, "Update"
	}
	if s.parameters[scope] == nil {
		s.parameters[scope] = map[string]*parameter{}
	}
	s.parameters[scope][name] = &parameter{name: name, value: value, version: version, modified: s.backend.Clock()}
	s.events.Publish(api.Event{Scope: scope, Time: s.backend.Clock(), Source: "aws.ssm",
		DetailType: "Parameter Store Change", Resources: []string{parameterARN(scope, name)},
		Detail: api.Object{"operation": operation, "name": name, "type": "SecureString"}})
}

// Encrypt gives a parameter a customer managed key.
func (s *Server) Encrypt(scope api.Scope, name, key string) {
	s.backend.Mu.Lock()
	defer s.backend.Mu.Unlock()
	s.parameters[scope][name].key = key
}

// parameterARN returns the ARN of a parameter. A name that begins with a slash does not double it.
func parameterARN(scope api.Scope, name string) string {
	return scope.ARN("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
}

type getParameterInput struct {
	Name           string
	WithDecryption bool
}

func (s *Server) getParameter(r *api.Request, in getParameterInput) (any, *api.Error) {
	parameters := s.parameters[r.Scope()]
	if service, _, resource, ok := api.SplitARN(in.Name); ok && service == "ssm" {
		in.Name = strings.TrimPrefix(resource, "parameter")
		if _, path := parameters[in.Name]; !path && strings.Count(in.Name, "/") == 1 {
			in.Name = in.Name[1:]
		}
	}
	if err := checkName(in.Name); err != nil {
		return nil, err
	}
	arn := parameterARN(r.Scope(), in.Name)
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: arn}); err != nil {
		return nil, err
	}
	if id, ok := strings.CutPrefix(in.Name, secretPrefix); ok {
		return s.getSecret(r, in, id)
	}
	p, ok := parameters[in.Name]
	if !ok {
		return nil, api.NewError("ParameterNotFound", "") // AWS sends no message
	}
	value := p.value
	if !in.WithDecryption {
		value = "AQICAHEncrypted"
	} else if err := kms.Use(r, "ssm", p.key, kms.Decrypt); err != nil {
		// The error is that of KMS (Systems Manager user guide, "AWS KMS encryption for AWS Systems Manager Parameter
		// Store SecureString parameters").
		return nil, err
	}
	return api.Object{"Parameter": api.Object{
		"Name": p.name, "Type": "SecureString", "Value": value, "Version": p.version,
		"LastModifiedDate": api.Timestamp(p.modified), "ARN": arn, "DataType": "text",
	}}, nil
}

// getSecret returns the secret that a parameter refers to, if the caller may read that too.
func (s *Server) getSecret(r *api.Request, in getParameterInput, id string) (any, *api.Error) {
	const referring = " when referencing Secrets Manager: "
	if !in.WithDecryption {
		return nil, api.Validation("WithDecryption flag must be True for retrieving a Secret Manager secret.")
	}
	secret, err := s.secrets.Get(r, id)
	switch {
	case err != nil && err.Code == "ResourceNotFoundException":
		return nil, api.NewError("ParameterNotFound", "An error occurred (ParameterNotFound)%sSecret %s not found.",
			referring, strings.TrimPrefix(in.Name, "/"))
	case err != nil:
		message := "An error occurred (" + err.Code + ")" + referring + err.Message
		return nil, &api.Error{Status: err.Status, Code: err.Code, Message: message}
	}
	source := api.Object{
		"ARN": secret.ARN, "name": secret.Name, "versionId": secret.Version, "versionStages": []string{"AWSCURRENT"},
	}
	return api.Object{"Parameter": api.Object{
		"Name": in.Name, "Type": "SecureString", "Value": secret.Value, "Version": 0,
		"LastModifiedDate": api.Timestamp(secret.Created), "ARN": parameterARN(r.Scope(), in.Name), "DataType": "text",
		"SourceResult": string(api.Encode(source)),
	}}, nil
}

func checkName(name string) *api.Error {
	if !strings.HasPrefix(name, secretPrefix) && !nameForm.MatchString(name) {
		return api.Validation(`Parameter name: can't be prefixed with "ssm" (case-insensitive). ` +
			`If formed as a path, it can consist of sub-paths divided by slash symbol; ` +
			`each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`)
	}
	return nil
}
