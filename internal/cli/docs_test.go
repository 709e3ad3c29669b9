package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"deployer/internal/environment"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// guideLifecycle is the guide's example of a lifecycle policy.
const guideLifecycle = `{"rules":[{"rulePriority":1,"description":"Keep last 10 images",
	"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":10},"action":{"type":"expire"}}]}`

// guideReaders is what `deployer policy repository` prints for the accounts of staging and prod: they may list tags.
const guideReaders = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
	"Principal":{"AWS":["arn:aws:iam::222222222222:root","arn:aws:iam::333333333333:root"]},
	"Action":["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage","ecr:DescribeImages","ecr:GetDownloadUrlForLayer"]}]}`

// shown are the commands that a document shows with their output, and the files
// that it shows: a block of YAML whose first line is a comment with a name.
var shown = regexp.MustCompile("(?s)```console\n\\$ deployer ([^\n]*)\n(.*?)```|```yaml\n# ([a-z]+\\.yaml)\n(.*?)```")

// TestReadme runs the commands of the README and of docs/ that show their
// output, each document's in a directory of its own, in which the files are
// that it shows. AWS is a project in good health, but for the lifecycle policy
// of web-api's repository, which is the guide's. UPDATE_SCRIPTS=1 writes down
// what the commands print.
func TestReadme(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	must(t, err)
	aws := healthy(t, root)
	ran := 0
	for _, file := range append(documents(t, "../../docs"), "../../README.md") {
		text, err := os.ReadFile(file)
		must(t, err)
		dir := t.TempDir()
		for _, name := range []string{"examples", "events"} {
			must(t, os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)))
		}
		if filepath.Base(file) == "getting-started.md" { // its commands run where `make up` has its files
			dir = filepath.Join(dir, "examples", "centralized-dev-ecr")
		}
		updated := shown.ReplaceAllStringFunc(string(text), func(found string) string {
			block := shown.FindStringSubmatch(found)
			if block[3] != "" {
				must(t, os.WriteFile(filepath.Join(dir, block[3]), []byte(block[4]), 0o644))
				return found
			}
			a, err := typed(typedLine{Dir: dir, Args: strings.Fields(block[1]), Together: true,
				Env: deployerEnv(aws, owner(dir, block[1]))})
			must(t, err)
			if a.Stdout != block[2] { // some end in an error, which is what they show
				t.Errorf("%s shows\n$ deployer %s\n%s\nand it prints\n%s", file, block[1], block[2], a.Stdout)
			}
			ran++
			return "```console\n$ deployer " + block[1] + "\n" + a.Stdout + "```"
		})
		if os.Getenv("UPDATE_SCRIPTS") != "" {
			must(t, os.WriteFile(file, []byte(updated), 0o644))
		}
	}
	if ran < 20 {
		t.Errorf("%d commands were run, want more", ran)
	}
}

// owner returns the account of the environment file that a command line names.
func owner(dir, line string) string {
	_, file, _ := strings.Cut(line, "-f ")
	file, _, _ = strings.Cut(file, " ")
	if _, name, ok := strings.Cut(line, "-e "); ok {
		name, _, _ = strings.Cut(name, " ")
		file = name + ".yaml"
	}
	if env, err := environment.Load(filepath.Join(dir, file)); err == nil {
		return env.AccountID
	}
	return accounts.Dev
}

// healthy serves emulated AWS with a project in good health, and returns its URL.
func healthy(t *testing.T, root string) string {
	t.Helper()
	e, url := emulatortest.Start(t, emulator.Options{RolloutStep: time.Nanosecond})
	byName, err := cloud.CentralizedDev(t.Context(), url)
	must(t, err)
	must(t, cloud.InstallStacks(t.Context(), root, e, byName))
	_, err = byName["dev"].Push(t.Context(), "myproject_backend", "backend v2", "git-abc123f")
	must(t, err)
	_, err = byName["dev"].ECR.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{
		RepositoryName: aws.String("myproject_backend"), PolicyText: aws.String(guideReaders)})
	must(t, err)
	_, err = byName["dev"].ECR.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{
		RepositoryName: aws.String("myproject_service_web-api"), LifecyclePolicyText: aws.String(guideLifecycle)})
	must(t, err)
	return url
}

var (
	link    = regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	fenced  = regexp.MustCompile("(?s)```.*?```")
	mark    = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// anchors returns the anchors that GitHub gives the headings of a document.
func anchors(t *testing.T, file string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	all := map[string]bool{"": true}
	for _, h := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
		all[strings.ReplaceAll(mark.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")] = true
	}
	return all
}

// documents returns the Markdown files of a directory and of those in it.
func documents(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	must(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			files = append(files, path)
		}
		return err
	}))
	return files
}

// TestLinks checks that the links between the documents lead to a file and a
// heading, and that every document can be reached from the README.
func TestLinks(t *testing.T) {
	t.Parallel()
	links := map[string][]string{} // from a document to what it links to
	for _, file := range append(documents(t, "../../docs"), "../../README.md", "../../CONTRIBUTING.md") {
		text, err := os.ReadFile(file)
		must(t, err)
		for _, l := range link.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
			target := file
			if l[1] != "" {
				target = filepath.Join(filepath.Dir(file), l[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link %s leads nowhere", file, l[0])
			} else if filepath.Ext(target) == ".md" && !anchors(t, target)[l[2]] {
				t.Errorf("%s: the link %s leads to no heading of %s", file, l[0], target)
			}
			links[file] = append(links[file], target)
		}
	}
	reached := map[string]bool{}
	var follow func(file string)
	follow = func(file string) {
		if !reached[file] {
			reached[file] = true
			for _, target := range links[file] {
				follow(target)
			}
		}
	}
	follow("../../README.md")
	for file := range links {
		if !reached[file] {
			t.Errorf("no link from the README leads to %s", file)
		}
	}
}
