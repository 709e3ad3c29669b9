package emulator

import (
	"regexp"
	"strings"
	"time"
)

// secretReference begins the names by which Parameter Store gives out what is in
// Secrets Manager.
const secretReference = "/aws/reference/secretsmanager/"

var parameterNameForm = regexp.MustCompile(`^/?[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*$`)

// A parameter is one of Systems Manager's Parameter Store.
type parameter struct {
	name, kind, value string
	version           int
	modified          time.Time
}

// PutParameter sets a SecureString of Parameter Store, such as /deployer/slack.
func (e *Emulator) PutParameter(account, region, name, value string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.scope(account, region).putParameter(name, "SecureString", value, e.clock())
}

// putParameter sets a parameter and returns it.
func (s *scope) putParameter(name, kind, value string, at time.Time) *parameter {
	p := &parameter{name: name, kind: kind, value: value, version: 1, modified: at}
	if old, ok := s.parameters[name]; ok {
		p.version = old.version + 1
	}
	s.parameters[name] = p
	return p
}

// parameterARN is the ARN of a parameter, in which a name that is a path keeps only one
// of the two slashes.
func (k scopeKey) parameterARN(name string) string {
	return k.arn("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
}

type getParameterInput struct {
	Name           string
	WithDecryption bool
}

func (e *Emulator) getParameter(r *request, in getParameterInput) (any, *Error) {
	parameters := e.scope(r.account, r.region).parameters
	if service, _, resource, ok := splitARN(in.Name); ok && service == "ssm" {
		in.Name = strings.TrimPrefix(resource, "parameter")
		if _, path := parameters[in.Name]; !path && strings.Count(in.Name, "/") == 1 {
			in.Name = in.Name[1:]
		}
	}
	if err := checkParameterName(in.Name); err != nil {
		return nil, err
	}
	arn := r.key().parameterARN(in.Name)
	if err := e.authorize(r, access{action: r.name(), resource: arn}); err != nil {
		return nil, err
	}
	if id, ok := strings.CutPrefix(in.Name, secretReference); ok {
		return e.getReferredSecret(r, in, id)
	}
	p, ok := parameters[in.Name]
	if !ok {
		return nil, badRequest("ParameterNotFound", "") // AWS says no more
	}
	value := p.value
	if p.kind == "SecureString" && !in.WithDecryption {
		value = "AQICAHEncrypted"
	}
	return object{"Parameter": object{
		"Name": p.name, "Type": p.kind, "Value": value, "Version": p.version,
		"LastModifiedDate": timestamp(p.modified), "ARN": arn, "DataType": "text",
	}}, nil
}

// getReferredSecret reads a secret in the caller's name.
func (e *Emulator) getReferredSecret(r *request, in getParameterInput, id string) (any, *Error) {
	const referring = " when referencing Secrets Manager: "
	if !in.WithDecryption {
		return nil, errValidation("WithDecryption flag must be True for retrieving a Secret Manager secret.")
	}
	s, err := e.openSecret(r, id)
	switch {
	case err != nil && err.Code == "ResourceNotFoundException":
		return nil, badRequest("ParameterNotFound", "An error occurred (ParameterNotFound)%sSecret %s not found.", referring, strings.TrimPrefix(in.Name, "/"))
	case err != nil:
		return nil, &Error{err.Status, err.Code, "An error occurred (" + err.Code + ")" + referring + err.Message}
	}
	return object{"Parameter": object{
		"Name": in.Name, "Type": "SecureString", "Value": s.value, "Version": 0, "LastModifiedDate": timestamp(s.created),
		"ARN": r.key().parameterARN(in.Name), "DataType": "text",
		"SourceResult": string(encode(object{"ARN": s.arn, "name": s.name, "versionId": s.version, "versionStages": []string{"AWSCURRENT"}})),
	}}, nil
}

func checkParameterName(name string) *Error {
	if !strings.HasPrefix(name, secretReference) && !parameterNameForm.MatchString(name) {
		return errValidation(`Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`)
	}
	return nil
}

type putParameterInput struct {
	Name, Value, Type string
	Overwrite         bool
}

func (e *Emulator) putParameter(r *request, in putParameterInput) (any, *Error) {
	if err := checkParameterName(in.Name); err != nil {
		return nil, err
	}
	if err := e.authorize(r, access{action: r.name(), resource: r.key().parameterARN(in.Name)}); err != nil {
		return nil, err
	}
	s := e.scope(r.account, r.region)
	if _, ok := s.parameters[in.Name]; ok && !in.Overwrite {
		return nil, badRequest("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	}
	if in.Type == "" {
		in.Type = "String"
	}
	return object{"Version": s.putParameter(in.Name, in.Type, in.Value, r.now).version, "Tier": "Standard"}, nil
}
