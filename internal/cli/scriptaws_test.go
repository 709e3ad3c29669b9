package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/rogpeppe/go-internal/testscript"

	"deployer/internal/iam"
	"deployer/testbed/accounts"
	"deployer/testbed/cloud"
)

// What scripts do behind the deployer's back.

// ecsCall is `ecs ENVIRONMENT OPERATION JSON`: a call of another tool.
func ecsCall(ts *testscript.TestScript, _ bool, args []string) {
	account := ""
	for _, env := range cloud.Environments {
		if env.Name == args[0] {
			account = env.Account
		}
	}
	request, err := http.NewRequest(http.MethodPost, of(ts).url, strings.NewReader(args[2]))
	ts.Check(err)
	request.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+args[1])
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+account+
		"/20260122/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=00")
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	if answer, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		ts.Fatalf("%s: %s %v", args[1], answer, err)
	}
	of(ts).ResetCalls()
}

// processor is `processor TASK REPOSITORY`: prod gets an event-processor task, which a rule
// starts, with the image v1 of a repository in dev's registry.
func processor(ts *testscript.TestScript, _ bool, args []string) {
	ctx, task, a := context.Background(), args[0], of(ts).accounts["prod"]
	const role = "arn:aws:iam::" + accounts.Prod + ":role/" + cloud.Project + "_scheduler_"
	image := accounts.Dev + ".dkr.ecr." + accounts.Region + ".amazonaws.com/" + args[1] + ":v1"
	definition, err := a.Family(ctx, task, cloud.Project+"_container_"+task+"_prod", image)
	ts.Check(err)
	ts.Check(a.Role(ctx, cloud.Project+"_scheduler_"+task+"_task_execution_prod", "events.amazonaws.com",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecs:RunTask","iam:PassRole"],
			"Resource":"*"}]}`))
	ts.Check(a.Rule(ctx, cloud.Project+"_rule_"+task+"_prod", fmt.Sprintf(`{"Id":"task","Arn":
		"arn:aws:ecs:us-east-1:%s:cluster/%s","RoleArn":"%s_task_execution_prod","EcsParameters":{
		"NetworkConfiguration":{"awsvpcConfiguration":{"Subnets":["subnet-1"]}},"TaskDefinitionArn":%q}}`, accounts.Prod,
		cloud.ClusterName("prod"), role+task, definition)))
	of(ts).ResetCalls()
}

// noCapacity is `nocapacity REASON`: RunTask starts no task, for a reason; ” ends that.
func noCapacity(ts *testscript.TestScript, _ bool, args []string) { of(ts).FailRuns(args[0]) }

// later is `later DURATION`: so much later is it for AWS.
func later(ts *testscript.TestScript, _ bool, args []string) {
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	of(ts).ahead.Add(int64(d))
	of(ts).Tick()
}

// rollouts is `rollouts DURATION`, before the first `account`: so long lasts each
// step of a rollout.
func rollouts(ts *testscript.TestScript, _ bool, args []string) {
	var err error
	of(ts).step, err = time.ParseDuration(args[0])
	ts.Check(err)
}

// await is `await OPERATION...`: waits until a background command has called the
// operations, one after the other, since the last `account`. A call that began before
// does not count: its answer may be of before.
func await(ts *testscript.TestScript, _ bool, args []string) {
	w := of(ts)
	w.mu.Lock()
	reset := w.reset
	w.mu.Unlock()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		after, rest := reset, args
		for _, c := range w.Calls() {
			if len(rest) > 0 && c.Operation == rest[0] && !c.Start.Before(after) {
				after, rest = c.End, rest[1:]
			}
		}
		if len(rest) == 0 {
			return
		}
	}
	ts.Fatalf("no background command called %v", args)
}

// broken is `broken REPOSITORY TAG`: tasks with the image that dev's registry has
// under the tag do not stay up.
func broken(ts *testscript.TestScript, _ bool, args []string) {
	dev := accounts.Connect(of(ts).url, accounts.Dev, accounts.Region)
	out, err := dev.ECR.DescribeImages(context.Background(), &ecr.DescribeImagesInput{
		RepositoryName: aws.String(args[0]), ImageIds: []types.ImageIdentifier{{ImageTag: aws.String(args[1])}}})
	ts.Check(err)
	of(ts).FailImage(*out.ImageDetails[0].ImageDigest)
	of(ts).ResetCalls()
}

// prints is `prints REPOSITORY TAG FILE`: containers with that image write the lines of the file before they exit.
func prints(ts *testscript.TestScript, _ bool, args []string) {
	dev := accounts.Connect(of(ts).url, accounts.Dev, accounts.Region)
	out, err := dev.ECR.DescribeImages(context.Background(), &ecr.DescribeImagesInput{
		RepositoryName: aws.String(args[0]), ImageIds: []types.ImageIdentifier{{ImageTag: aws.String(args[1])}}})
	ts.Check(err)
	text := strings.ReplaceAll(strings.TrimSuffix(ts.ReadFile(args[2]), "\n"), "ESC", "\x1b")
	of(ts).Print(*out.ImageDetails[0].ImageDigest, strings.Split(text, "\n")...)
	of(ts).ResetCalls()
}

// revisionARN returns the ARN of a revision of a workload.
func revisionARN(ts *testscript.TestScript, env, workload, number string) (*accounts.Account, string) {
	for _, e := range cloud.Environments {
		if e.Name == env {
			return accounts.Connect(of(ts).url, e.Account, accounts.Region), "arn:aws:ecs:" + accounts.Region + ":" +
				e.Account + ":task-definition/" + cloud.ServiceName(workload, env) + ":" + number
		}
	}
	ts.Fatalf("there is no environment %s", env)
	return nil, ""
}

// noteOutcome is `outcome ENVIRONMENT WORKLOAD REVISION OUTCOME`: that is how
// the revision's rollout ended, as the function would note it.
func noteOutcome(ts *testscript.TestScript, _ bool, args []string) {
	account, arn := revisionARN(ts, args[0], args[1], args[2])
	_, err := account.ECS.TagResource(context.Background(), &ecs.TagResourceInput{ResourceArn: aws.String(arn),
		Tags: []ecstypes.Tag{{Key: aws.String("deployer:outcome"), Value: aws.String(args[3])}}})
	ts.Check(err)
	of(ts).ResetCalls()
}

// journalHas is `journal ENVIRONMENT WORKLOAD REVISION KEY VALUE`: the revision has that tag.
func journalHas(ts *testscript.TestScript, _ bool, args []string) {
	account, arn := revisionARN(ts, args[0], args[1], args[2])
	in := &ecs.ListTagsForResourceInput{ResourceArn: aws.String(arn)}
	out, err := account.ECS.ListTagsForResource(context.Background(), in)
	ts.Check(err)
	for _, tag := range out.Tags {
		if *tag.Key == args[3] && *tag.Value == args[4] {
			return
		}
	}
	ts.Fatalf("%s has no tag %s = %s, but %v", arn, args[3], args[4], out.Tags)
}

// gone is `gone REPOSITORY TAG`: dev's registry loses the image under the tag.
func gone(ts *testscript.TestScript, _ bool, args []string) {
	registry := accounts.Connect(of(ts).url, accounts.Dev, accounts.Region).ECR
	out, err := registry.DescribeImages(context.Background(), &ecr.DescribeImagesInput{
		RepositoryName: aws.String(args[0]), ImageIds: []types.ImageIdentifier{{ImageTag: aws.String(args[1])}}})
	ts.Check(err)
	_, err = registry.BatchDeleteImage(context.Background(), &ecr.BatchDeleteImageInput{
		RepositoryName: aws.String(args[0]),
		ImageIds:       []types.ImageIdentifier{{ImageDigest: out.ImageDetails[0].ImageDigest}},
	})
	ts.Check(err)
	of(ts).ResetCalls()
}

// release is `release ENVIRONMENT REPOSITORY TAG`: CI pushes an index of two platforms to
// the environment's own registry, with a bill of materials and a signature.
func release(ts *testscript.TestScript, _ bool, args []string) {
	ctx, a := context.Background(), of(ts).accounts[args[0]]
	push := func(l accounts.Layered, tags ...string) string {
		digest, err := a.PushLayered(ctx, args[1], l, tags...)
		ts.Check(err)
		return digest
	}
	amd := push(accounts.Layered{Layers: []string{"shared", "amd64 " + args[2]}})
	arm := push(accounts.Layered{Layers: []string{"shared", "arm64 " + args[2]}})
	index, err := a.PushIndexOf(ctx, args[1], []string{amd, arm}, args[2])
	ts.Check(err)
	push(accounts.Layered{Layers: []string{"bill"}, Subject: index, Kind: "application/spdx+json"})
	push(accounts.Layered{Layers: []string{"signature"}}, strings.Replace(index, ":", "-", 1)+".sig")
	of(ts).ResetCalls()
}

// repository is `repository ENVIRONMENT NAME [TAG...]`: the environment's own registry has it. With TAG, its tags are
// immutable but for those.
func repository(ts *testscript.TestScript, _ bool, args []string) {
	in := &ecr.CreateRepositoryInput{RepositoryName: aws.String(args[1])}
	for i := range args[2:] {
		in.ImageTagMutability = types.ImageTagMutabilityImmutableWithExclusion
		in.ImageTagMutabilityExclusionFilters = append(in.ImageTagMutabilityExclusionFilters,
			types.ImageTagMutabilityExclusionFilter{Filter: &args[2+i],
				FilterType: types.ImageTagMutabilityExclusionFilterTypeWildcard})
	}
	_, err := of(ts).accounts[args[0]].ECR.CreateRepository(context.Background(), in)
	ts.Check(err)
	of(ts).ResetCalls()
}

// legacy is `legacy ENVIRONMENT REPOSITORY TAG`: the tag is on a manifest of Docker's schema 1.
func legacy(ts *testscript.TestScript, _ bool, args []string) {
	_, err := of(ts).accounts[args[0]].ECR.PutImage(context.Background(), &ecr.PutImageInput{
		RepositoryName: &args[1], ImageTag: &args[2], ImageManifest: aws.String(`{"schemaVersion":1,"fsLayers":[]}`),
		ImageManifestMediaType: aws.String("application/vnd.docker.distribution.manifest.v1+json")})
	ts.Check(err)
	of(ts).ResetCalls()
}

// role is `role ACCOUNT NAME FILE`: from here on the credentials are those of the
// account's role, which has the policy in the file and no other.
func role(ts *testscript.TestScript, _ bool, args []string) {
	document, err := iam.Parse([]byte(ts.ReadFile(args[2])))
	ts.Check(err)
	of(ts).SetRolePolicy(args[0], args[1], document)
	ts.Setenv("AWS_ACCESS_KEY_ID", args[0]+"-"+args[1])
	of(ts).ResetCalls()
}

// channels is `channels KEY TOPICKEY`: the parameter and the secret team/slack exist, with the KMS key with that ARN,
// and the topic deployments, with its other name, an alias.
func channels(ts *testscript.TestScript, _ bool, args []string) {
	const account, region = "111111111111", "us-east-1"
	w := of(ts)
	w.PutParameter(account, region, "/team/slack", "https://hooks.example/1")
	w.EncryptParameter(account, region, "/team/slack", args[0])
	w.PutSecret(account, region, "team/slack", "https://hooks.example/1")
	w.EncryptSecret(account, region, "team/slack", args[0])
	w.AliasKey(account, region, args[1], args[0])
	w.EncryptTopic(w.CreateTopic(account, region, "deployments"), args[1])
}

// logged is `logged FILE`: prod's function has logged the lines of the file.
func logged(ts *testscript.TestScript, _ bool, args []string) {
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		of(ts).Log(accounts.Prod, accounts.Region, "/aws/lambda/myproject_deployer_prod", strings.TrimSpace(line))
	}
	of(ts).ResetCalls()
}
