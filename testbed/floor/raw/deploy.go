package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	ecsTarget = "AmazonEC2ContainerServiceV20141113."
	ecrTarget = "AmazonEC2ContainerRegistry_V20150921."
)

// object is a JSON object.
type object = map[string]any

// deploy makes five calls in three round trips: image, service and task definition; a new revision; the update.
func deploy(ctx context.Context) error {
	var image struct {
		Images []struct{ ImageID struct{ ImageDigest string } }
	}
	var service, described struct {
		TaskDefinition object
		Services       []object
	}
	reads := []struct {
		service, target string
		in              object
		out             any
	}{
		{"ecr", ecrTarget + "BatchGetImage", object{
			"registryId": os.Getenv("FLOOR_REGISTRY"), "repositoryName": os.Getenv("FLOOR_REPOSITORY"),
			"imageIds": []object{{"imageTag": os.Getenv("FLOOR_TAG")}},
		}, &image},
		{"ecs", ecsTarget + "DescribeServices", object{
			"cluster": os.Getenv("FLOOR_CLUSTER"), "services": []string{os.Getenv("FLOOR_SERVICE")},
		}, &service},
		{"ecs", ecsTarget + "DescribeTaskDefinition", object{
			"taskDefinition": os.Getenv("FLOOR_FAMILY"), "include": []string{"TAGS"},
		}, &described},
	}
	errs := make([]error, len(reads))
	var wg sync.WaitGroup
	for i, read := range reads {
		wg.Go(func() { errs[i] = call(ctx, read.service, read.target, read.in, read.out) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if len(image.Images) == 0 || len(service.Services) == 0 || described.TaskDefinition == nil {
		return fmt.Errorf("found %d images, %d services, task definition %v", len(image.Images), len(service.Services),
			described.TaskDefinition)
	}
	revision, err := register(ctx, described.TaskDefinition, image.Images[0].ImageID.ImageDigest)
	if err != nil {
		return err
	}
	return call(ctx, "ecs", ecsTarget+"UpdateService", object{
		"cluster": os.Getenv("FLOOR_CLUSTER"), "service": os.Getenv("FLOOR_SERVICE"), "taskDefinition": revision,
	}, &object{})
}

// register registers the definition with the image of a digest in its first container, and returns the revision's ARN.
func register(ctx context.Context, definition object, digest string) (arn string, err error) {
	for _, name := range []string{
		"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt",
		"registeredBy", "deregisteredAt",
	} {
		delete(definition, name)
	}
	container := definition["containerDefinitions"].([]any)[0].(object)
	container["image"] = os.Getenv("FLOOR_REGISTRY") + ".dkr.ecr." + os.Getenv("AWS_REGION") + ".amazonaws.com/" +
		os.Getenv("FLOOR_REPOSITORY") + "@" + digest
	var registered struct {
		TaskDefinition struct{ TaskDefinitionArn string }
	}
	err = call(ctx, "ecs", ecsTarget+"RegisterTaskDefinition", definition, &registered)
	return registered.TaskDefinition.TaskDefinitionArn, err
}

// call makes one signed call, and decodes its answer into out.
func call(ctx context.Context, service, target string, in object, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("AWS_ENDPOINT_URL")+"/",
		bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {target}}
	hash := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN")}
	err = v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(hash[:]), service,
		os.Getenv("AWS_REGION"), time.Now())
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", target, response.Status, text)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, out)
}
