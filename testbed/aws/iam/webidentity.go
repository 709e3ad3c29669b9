package iam

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"

	"deployer/internal/iam"
	"deployer/testbed/aws/api"
)

// assumeRoleWithWebIdentity gives the credentials of a role to the holder of a token that the role trusts (STS API
// reference, "AssumeRoleWithWebIdentity"). The token's signature is not verified. The call itself is not signed.
func (s *Server) assumeRoleWithWebIdentity(r *api.Request) (any, *api.Error) {
	form, err := r.Form("RoleArn", "RoleSessionName", "WebIdentityToken", "DurationSeconds")
	if err != nil {
		return nil, err
	}
	claims, ok := parseToken(form.Get("WebIdentityToken"))
	if !ok {
		return nil, &api.Error{Status: http.StatusBadRequest, Code: "InvalidIdentityToken",
			Message: "The ID Token provided is not a valid JWT."}
	}
	_, scope, resource, _ := api.SplitARN(form.Get("RoleArn"))
	name := resource[strings.LastIndexByte(resource, '/')+1:]
	issuer := strings.TrimPrefix(claims.Issuer, "https://")
	request := iam.Request{Action: r.Name(), Resource: form.Get("RoleArn"),
		Principal: "arn:" + api.Partition(scope.Region) + ":iam::" + scope.Account + ":oidc-provider/" + issuer,
		Context:   map[string]string{issuer + ":sub": claims.Subject, issuer + ":aud": claims.Audience}}
	trust := s.trust[roleKey{scope.Account, name}]
	allowed := trust != nil && trust.Evaluate(request) == iam.Allow
	s.note(request, allowed)
	if !allowed {
		return nil, &api.Error{Status: http.StatusForbidden, Code: "AccessDenied",
			Message: "Not authorized to perform sts:AssumeRoleWithWebIdentity"}
	}
	type credentials struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }
	return struct {
		XMLName     xml.Name    `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleWithWebIdentityResponse"`
		Credentials credentials `xml:"AssumeRoleWithWebIdentityResult>Credentials"`
	}{Credentials: credentials{scope.Account + "-" + name, "emulated", "emulated",
		api.EventTime(r.Now.Add(sessionTime))}}, nil
}

// claims are those of a token that policies see.
type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
}

// parseToken reads the claims of a JSON web token.
func parseToken(token string) (c claims, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	return c, err == nil && json.Unmarshal(payload, &c) == nil && c.Issuer != ""
}

// Token returns a token with the claims of a provider, for tests.
func Token(issuer, subject, audience string) string {
	payload, _ := json.Marshal(claims{issuer, subject, audience}) // strings always encode
	return "e30." + base64.RawURLEncoding.EncodeToString(payload) + ".c2lnbmVk"
}
