package emulator

import "time"

// A secret is one of Secrets Manager.
type secret struct {
	name, arn, version, value string
	created                   time.Time
}

// PutSecret sets the text of a secret of Secrets Manager and returns its ARN, which
// ends on six characters of its own.
func (e *Emulator) PutSecret(account, region, name, value string) (arn string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.scope(account, region)
	old, ok := s.secrets[name]
	if !ok {
		old = &secret{name: name, arn: s.secretARN(name) + "-" + e.newToken()[:6]}
		s.secrets[name] = old
	}
	old.value, old.version, old.created = value, e.newUUID(), e.clock()
	return old.arn
}

func (k scopeKey) secretARN(name string) string { return k.arn("secretsmanager", "secret:"+name) }

// openSecret asks for leave to read the secret with the name or the ARN and returns it.
func (e *Emulator) openSecret(r *request, id string) (*secret, *Error) {
	key := r.key()
	arn := key.secretARN(id)
	if service, owner, _, ok := splitARN(id); ok && service == "secretsmanager" {
		key, arn = owner, id
	}
	var found *secret
	for name, s := range e.scope(key.account, key.region).secrets {
		if name == id || s.arn == id {
			found, arn = s, s.arn
		}
	}
	if err := e.authorize(r, access{action: "secretsmanager:GetSecretValue", resource: arn}); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, badRequest("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	return found, nil
}

type getSecretValueInput struct {
	ID string `json:"SecretId"`
}

func (e *Emulator) getSecretValue(r *request, in getSecretValueInput) (any, *Error) {
	s, err := e.openSecret(r, in.ID)
	if err != nil {
		return nil, err
	}
	return object{
		"ARN": s.arn, "Name": s.name, "SecretString": s.value, "VersionId": s.version,
		"VersionStages": []string{"AWSCURRENT"}, "CreatedDate": timestamp(s.created),
	}, nil
}
