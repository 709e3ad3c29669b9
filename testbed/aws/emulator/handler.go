package emulator

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody is more than any of the services takes.
const maxBody = 16 << 20

// A request is one call of one operation.
type request struct {
	caller
	operation string
	body      []byte
	now       time.Time // on the emulator's clock
	host      string    // that the client called
	resources []string  // the ARNs that access was asked for, in order
}

// name is the operation as IAM writes it, such as "ecs:UpdateService".
func (r *request) name() string { return r.service + ":" + r.operation }

// key is the account and the region that the caller speaks to.
func (r *request) key() scopeKey { return scopeKey{r.account, r.region} }

// decode reads the request's body.
func decode[T any](r *request) (T, *Error) {
	var in T
	if err := json.Unmarshal(r.body, &in); err != nil {
		return in, badRequest("SerializationException", "%v", err)
	}
	return in, nil
}

// services are the signing names by the first part of X-Amz-Target.
var services = map[string]string{
	"AmazonEC2ContainerServiceV20141113":   "ecs",
	"AmazonEC2ContainerRegistry_V20150921": "ecr",
	"AWSEvents":                            "events",
	"AmazonSQS":                            "sqs",
	"AmazonSSM":                            "ssm",
	"secretsmanager":                       "secretsmanager",
}

// queries are the services of the query protocol, which answer XML, each in a
// name space of its own.
var queries = map[string]string{
	"iam": "https://iam.amazonaws.com/doc/2010-05-08/",
	"sns": "http://sns.amazonaws.com/doc/2010-03-31/",
	"sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}

// An operation carries out one call under the emulator's lock.
type operation func(*Emulator, *request) (any, *Error)

// with makes an operation of a method that takes what the request's body says.
func with[T any](method func(*Emulator, *request, T) (any, *Error)) operation {
	return func(e *Emulator, r *request) (any, *Error) {
		in, err := decode[T](r)
		if err != nil {
			return nil, err
		}
		return method(e, r, in)
	}
}

// operations are all there are, by service and name.
var operations = map[string]operation{
	"ecr:BatchDeleteImage":        with((*Emulator).batchDeleteImage),
	"ecr:BatchGetImage":           with((*Emulator).batchGetImage),
	"ecr:CompleteLayerUpload":     with((*Emulator).completeLayerUpload),
	"ecr:CreateRepository":        with((*Emulator).createRepository),
	"ecr:DeleteRepositoryPolicy":  with((*Emulator).deleteRepositoryPolicy),
	"ecr:DescribeImages":          with((*Emulator).describeImages),
	"ecr:DescribeRepositories":    with((*Emulator).describeRepositories),
	"ecr:GetDownloadUrlForLayer":  with((*Emulator).getDownloadURLForLayer),
	"ecr:GetLifecyclePolicy":      with((*Emulator).getLifecyclePolicy),
	"ecr:GetRepositoryPolicy":     with((*Emulator).getRepositoryPolicy),
	"ecr:InitiateLayerUpload":     with((*Emulator).initiateLayerUpload),
	"ecr:ListImages":              with((*Emulator).listImages),
	"ecr:PutImage":                with((*Emulator).putImage),
	"ecr:PutLifecyclePolicy":      with((*Emulator).putLifecyclePolicy),
	"ecr:SetRepositoryPolicy":     with((*Emulator).setRepositoryPolicy),
	"ecr:UpdateImageStorageClass": with((*Emulator).updateImageStorageClass),
	"ecr:UploadLayerPart":         with((*Emulator).uploadLayerPart),

	"ecs:ContinueServiceDeployment":  with((*Emulator).continueServiceDeployment),
	"ecs:CreateCluster":              with((*Emulator).createCluster),
	"ecs:CreateService":              with((*Emulator).createService),
	"ecs:DeleteService":              with((*Emulator).deleteService),
	"ecs:DeregisterTaskDefinition":   with((*Emulator).deregisterTaskDefinition),
	"ecs:DescribeClusters":           with((*Emulator).describeClusters),
	"ecs:DescribeServiceDeployments": with((*Emulator).describeServiceDeployments),
	"ecs:DescribeServiceRevisions":   with((*Emulator).describeServiceRevisions),
	"ecs:DescribeServices":           with((*Emulator).describeServices),
	"ecs:DescribeTaskDefinition":     with((*Emulator).describeTaskDefinition),
	"ecs:DescribeTasks":              with((*Emulator).describeTasks),
	"ecs:ListClusters":               with((*Emulator).listClusters),
	"ecs:ListServiceDeployments":     with((*Emulator).listServiceDeployments),
	"ecs:ListServices":               with((*Emulator).listServices),
	"ecs:ListTagsForResource":        with((*Emulator).listTagsForResource),
	"ecs:ListTaskDefinitions":        with((*Emulator).listTaskDefinitions),
	"ecs:ListTasks":                  with((*Emulator).listTasks),
	"ecs:RegisterTaskDefinition":     with((*Emulator).registerTaskDefinition),
	"ecs:StopServiceDeployment":      with((*Emulator).stopServiceDeployment),
	"ecs:TagResource":                with((*Emulator).tagResource),
	"ecs:UntagResource":              with((*Emulator).untagResource),
	"ecs:UpdateService":              with((*Emulator).updateService),

	"events:CreateEventBus":    with((*Emulator).createEventBus),
	"events:DescribeEventBus":  with((*Emulator).describeEventBus),
	"events:DescribeRule":      with((*Emulator).describeRule),
	"events:ListRules":         with((*Emulator).listRules),
	"events:ListTargetsByRule": with((*Emulator).listTargetsByRule),
	"events:PutEvents":         with((*Emulator).putEvents),
	"events:PutPermission":     with((*Emulator).putPermission),
	"events:PutRule":           with((*Emulator).putRule),
	"events:PutTargets":        with((*Emulator).putTargets),
	"events:TestEventPattern":  with((*Emulator).testEventPattern),

	"iam:SimulatePrincipalPolicy": (*Emulator).simulatePrincipalPolicy,

	"s3:GetObject": (*Emulator).getObject, // only by a URL that ECR has signed

	"secretsmanager:GetSecretValue": with((*Emulator).getSecretValue),

	"sns:CreateTopic": (*Emulator).createTopic,
	"sns:Publish":     (*Emulator).publishMessage,

	"sqs:ChangeMessageVisibility": with((*Emulator).changeMessageVisibility),
	"sqs:DeleteMessage":           with((*Emulator).deleteMessage),
	"sqs:ReceiveMessage":          with((*Emulator).receiveMessage),
	"sqs:SendMessage":             with((*Emulator).sendMessage),

	"ssm:GetParameter": with((*Emulator).getParameter),
	"ssm:PutParameter": with((*Emulator).putParameter),

	"sts:GetCallerIdentity": (*Emulator).getCallerIdentity,
}

// ServeHTTP answers one call of an AWS API.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	start := time.Now()
	r, err := e.parse(hr)
	var answer any
	var drop Drop
	if err == nil {
		f := e.takeFault(r)
		drop = f.Drop
		if !wait(hr.Context(), f.Latency) {
			e.record(r, start, nil, DropBefore)
			panic(http.ErrAbortHandler) // the client has gone
		}
		switch {
		case f.Error != nil:
			err = f.Error
		case drop != DropBefore:
			answer, err = e.call(r)
		}
	}
	err = err.in(r.service)
	requestID := e.record(r, start, err, drop)
	switch {
	case drop != DropNone:
		panic(http.ErrAbortHandler)
	case r.service == "s3":
		writeObject(w, requestID, answer, err)
	case queries[r.service] != "":
		writeXML(w, requestID, queries[r.service], answer, err)
	default:
		writeJSON(w, requestID, answer, err)
	}
}

// parse reads what is called and by whom. The request it returns is never nil, but
// holds only what could be read when there is an error.
func (e *Emulator) parse(hr *http.Request) (*request, *Error) {
	r := &request{now: e.clock(), host: hr.Host}
	if token, ok := signedDownload(hr); ok {
		return r, e.parseDownload(r, hr, token)
	}
	body, readErr := io.ReadAll(io.LimitReader(hr.Body, maxBody))
	if readErr != nil {
		return r, badRequest("SerializationException", "reading the request: %v", readErr)
	}
	r.body = body
	service, operation := called(hr, body)
	r.service, r.operation = service, operation
	c, err := parseCaller(hr)
	if err != nil {
		return r, err
	}
	signed := c.service
	c.service = service
	r.caller = c
	if _, known := operations[r.name()]; !known {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.unknown = append(e.unknown, r.name())
		return r, errUnknownOperation()
	}
	if signed != service {
		return r, badRequest("InvalidSignatureException", "Credential should be scoped to correct service: '%s'.", service)
	}
	return r, nil
}

// called returns the service and the operation that are called.
func called(hr *http.Request, body []byte) (service, operation string) {
	if header := hr.Header.Get("X-Amz-Target"); header != "" {
		prefix, operation, _ := strings.Cut(header, ".")
		if service, ok := services[prefix]; ok {
			return service, operation
		}
		return prefix, operation
	}
	service = "sts"
	if scope := credentialForm.FindStringSubmatch(hr.Header.Get("Authorization")); scope != nil && queries[scope[3]] != "" {
		service = scope[3] // the query protocol names its service nowhere else
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return service, ""
	}
	return service, form.Get("Action")
}

// call carries the request out.
func (e *Emulator) call(r *request) (any, *Error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.throttle(r); err != nil {
		return nil, err
	}
	answer, err := operations[r.name()](e, r)
	if err != nil || r.service == "s3" || queries[r.service] != "" {
		return answer, err
	}
	return encode(answer), nil // while nothing it refers to can change
}
