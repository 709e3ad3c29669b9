package emulator

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"deployer/testbed/aws/api"
)

// jsonServices are the services of the JSON 1.1 protocol by the first part of X-Amz-Target (Smithy specification, "AWS
// JSON 1.1 protocol").
var jsonServices = map[string]string{
	"AmazonEC2ContainerServiceV20141113":   "ecs",
	"AmazonEC2ContainerRegistry_V20150921": "ecr",
	"AWSEvents":                            "events",
	"AmazonSQS":                            "sqs",
	"AmazonSSM":                            "ssm",
	"secretsmanager":                       "secretsmanager",
	"TrentService":                         "kms",
	"Logs_20140328":                        "logs",
}

// queryServices are the XML namespaces of the services of the query protocol (Smithy specification, "AWS query
// protocol").
var queryServices = map[string]string{
	"iam": "https://iam.amazonaws.com/doc/2010-05-08/",
	"sns": "http://sns.amazonaws.com/doc/2010-03-31/",
	"sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}

// parseOperation returns the service and the operation that a request calls.
func parseOperation(hr *http.Request, body []byte) (service, operation string) {
	header := hr.Header.Get("X-Amz-Target")
	if header != "" {
		prefix, operation, _ := strings.Cut(header, ".")
		if service, ok := jsonServices[prefix]; ok {
			return service, operation
		}
		return prefix, operation
	}
	service = "sts"
	signed := api.SignedService(hr)
	if queryServices[signed] != "" {
		service = signed // the query protocol names its service nowhere else
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return service, ""
	}
	return service, form.Get("Action")
}

// writeJSON writes an answer of the JSON 1.1 protocol.
func writeJSON(w http.ResponseWriter, requestID string, answer any, err *api.Error) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-RequestId", requestID)
	if err != nil {
		o := api.Object{"__type": err.Code}
		maps.Copy(o, err.Members)
		if err.Message != "" {
			o[messageKey(err.Code)] = err.Message
		}
		answer = o
	}
	body, encoded := answer.(json.RawMessage)
	if !encoded {
		body = api.Encode(answer)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if err != nil {
		w.WriteHeader(err.Status)
	}
	w.Write(body)
}

// messageKey returns the member that holds an error's message. Authorization errors, which do not come from the service
// itself, write it with a capital.
func messageKey(code string) string {
	if code == "AccessDeniedException" {
		return "Message"
	}
	return "message"
}

// writeXML writes an answer of the query protocol.
func writeXML(w http.ResponseWriter, requestID, namespace string, answer any, err *api.Error) {
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-RequestId", requestID)
	if err != nil {
		type fault struct{ Type, Code, Message string }
		answer = struct {
			XMLName   xml.Name
			Error     fault
			RequestID string `xml:"RequestId"`
		}{
			XMLName: xml.Name{Space: namespace, Local: "ErrorResponse"},
			Error:   fault{"Sender", err.Code, err.Message}, RequestID: requestID,
		}
	}
	body, xmlErr := xml.Marshal(answer)
	if xmlErr != nil {
		panic(fmt.Sprintf("encoding an answer: %v", xmlErr))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if err != nil {
		w.WriteHeader(err.Status)
	}
	w.Write(body)
}

// queryErrors are the common errors as services of the query protocol name them (for example IAM API reference, "Common
// errors").
var queryErrors = map[string]struct {
	status int
	code   string
}{
	"AccessDeniedException":               {http.StatusForbidden, "AccessDenied"},
	"InvalidSignatureException":           {http.StatusForbidden, "SignatureDoesNotMatch"},
	"MissingAuthenticationTokenException": {http.StatusForbidden, "MissingAuthenticationToken"},
	"ServerException":                     {http.StatusInternalServerError, "InternalFailure"},
	"ServiceUnavailableException":         {http.StatusServiceUnavailable, "ServiceUnavailable"},
	"ThrottlingException":                 {http.StatusBadRequest, "Throttling"},
	"UnknownOperationException":           {http.StatusBadRequest, "InvalidAction"},
	"UnrecognizedClientException":         {http.StatusForbidden, "InvalidClientTokenId"},
}

// queryError returns the error as the service names it.
func queryError(service string, err *api.Error) *api.Error {
	if err == nil || queryServices[service] == "" {
		return err
	}
	named, ok := queryErrors[err.Code]
	if !ok {
		return err
	}
	if service == "sns" && err.Code == "AccessDeniedException" {
		named.code = "AuthorizationError"
	}
	return &api.Error{Status: named.status, Code: named.code, Message: err.Message}
}
