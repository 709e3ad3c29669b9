package ecr

import (
	"encoding/base64"
	"time"

	"deployer/testbed/aws/api"
)

// tokenTime is how long a token is valid (ECR API reference, "GetAuthorizationToken").
const tokenTime = 12 * time.Hour

// getAuthorizationToken returns the password for `docker login`. The registry protocol is not emulated.
func (e *Server) getAuthorizationToken(r *api.Request) (any, *api.Error) {
	if err := r.Authorize(api.Access{Action: r.Name(), Resource: "*"}); err != nil {
		return nil, err
	}
	token := base64.StdEncoding.EncodeToString([]byte("AWS:" + e.backend.NewUUID()))
	return api.Object{"authorizationData": []api.Object{{
		"authorizationToken": token, "expiresAt": api.Timestamp(r.Now.Add(tokenTime)),
		"proxyEndpoint": "https://" + r.Caller.Account + ".dkr.ecr." + r.Caller.Region + ".amazonaws.com",
	}}}, nil
}
