package emulator

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ECR hands out layers by S3's presigned URLs: whoever has one may read the object for
// an hour, and who sends credentials with it is refused.
const (
	downloadPath = "/layers/"
	downloadTime = time.Hour
)

// A download is what one signed URL leads to.
type download struct {
	caller  // who asked for the URL, in whose name it is read
	content []byte
	expires time.Time
}

// sign returns a new URL for the content.
func (e *Emulator) sign(r *request, content []byte) string {
	token := e.newUUID()
	by := r.caller
	by.service = "s3"
	e.downloads[token] = download{by, content, r.now.Add(downloadTime)}
	return "http://" + r.host + downloadPath + token
}

// signedDownload returns the token of the request's URL, if it is one of sign's.
func signedDownload(hr *http.Request) (token string, ok bool) {
	token, ok = strings.CutPrefix(hr.URL.Path, downloadPath)
	return token, ok && hr.Method == http.MethodGet
}

// parseDownload is parse for a signed URL.
func (e *Emulator) parseDownload(r *request, hr *http.Request, token string) *Error {
	r.service, r.operation, r.body = "s3", "GetObject", []byte(token)
	e.mu.Lock()
	defer e.mu.Unlock()
	d, ok := e.downloads[token]
	if !ok {
		return &Error{http.StatusForbidden, "AccessDenied", "Access Denied"}
	}
	r.caller = d.caller
	if hr.Header.Get("Authorization") != "" {
		return badRequest("InvalidArgument", "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified")
	}
	return nil
}

// getObject returns what the signed URL leads to.
func (e *Emulator) getObject(r *request) (any, *Error) {
	d := e.downloads[string(r.body)]
	if r.now.After(d.expires) {
		return nil, &Error{http.StatusForbidden, "AccessDenied", "Request has expired"}
	}
	return d.content, nil
}

// writeObject answers a download as S3 does.
func writeObject(w http.ResponseWriter, requestID string, answer any, err *Error) {
	w.Header().Set("X-Amz-Request-Id", requestID)
	body, _ := answer.([]byte)
	w.Header().Set("Content-Type", "application/octet-stream")
	if err != nil {
		var xmlErr error
		body, xmlErr = xml.Marshal(struct {
			XMLName                  xml.Name `xml:"Error"`
			Code, Message, RequestId string
		}{Code: err.Code, Message: err.Message, RequestId: requestID})
		if xmlErr != nil {
			panic(fmt.Sprintf("encoding an error: %v", xmlErr))
		}
		w.Header().Set("Content-Type", "application/xml")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if err != nil {
		w.WriteHeader(err.Status)
	}
	w.Write(body)
}
