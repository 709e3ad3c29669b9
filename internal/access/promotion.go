package access

import (
	"fmt"
	"slices"

	"deployer/internal/environment"
	"deployer/internal/image"
)

// reads are the actions with which a promotion reads the source. ECR lists signatures
// with the permission to read images.
var reads = []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}

// tags are the actions with which a promotion within one registry puts a tag.
var tags = []string{"ecr:BatchGetImage", "ecr:PutImage"}

// Promotion returns the rights of a role that promotes images from one environment's
// registry to another's and deploys them there, for the services and tasks that both have.
func Promotion(from, to *environment.Environment) (Policy, error) {
	bus, err := busARN(to)
	if err != nil {
		return Policy{}, err
	}
	rights, tagging, err := promoting(from, to, "add account_id to the file, or use --from-account")
	if err != nil {
		return Policy{}, err
	}
	if len(to.DeploySources) > 0 {
		rights = append(rights, putting("SendDeployEvents", bus, deploys, to.DeploySources))
	}
	doc := newDocument(rights...)
	name := to.Project + "_github_" + to.Name
	in := "# In " + image.Registry{AccountID: to.AccountID, Region: to.Region}.String() + "."
	return Policy{JSON: text(doc, ""), Notes: promotionNotes(from, to, tagging),
		Steps: []string{"aws iam put-role-policy --role-name " + name +
			" --policy-name promote --policy-document file://policy.json"},
		Terraform: resource("aws_iam_role_policy", identifier(name+"_promote"), in, attribute{"name", "promote"},
			attribute{"role", name}, attribute{"policy", doc}),
	}, nil
}

// promoting returns the rights to copy the images of the services and tasks that both
// environments have. tagging reports whether one of them has its images in one repository
// for both: they only get a tag there. The fix is for a source without an account.
func promoting(from, to *environment.Environment, fix string) (rights []statement, tagging bool, err error) {
	var sources, targets, both []string // ARNs of repositories
	for _, w := range to.Workloads {
		source, ok := from.Labelled(w.Label())
		if !ok || w.Repository == "" || source.Repository == "" {
			continue
		}
		if source.Registry.AccountID == "" {
			return nil, false, fmt.Errorf("%s does not name the account of its registry, which is part of the ARN of "+
				"a repository (%s)", from.File, fix)
		}
		read, written := source.Registry.RepositoryARN(source.Repository), w.Registry.RepositoryARN(w.Repository)
		if read == written {
			both = adding(both, read)
			continue
		}
		sources, targets = adding(sources, read), adding(targets, written)
	}
	if len(sources) > 0 {
		rights = append(rights, statement{Sid: "ReadSource", Action: reads, Resource: named(sources)},
			statement{Sid: "WriteTarget", Action: pushes, Resource: named(targets)})
	}
	if len(both) > 0 {
		rights = append(rights, statement{Sid: "TagImages", Action: tags, Resource: named(both)})
	}
	if len(rights) == 0 {
		err = fmt.Errorf("%s and %s have no service and no task in common that runs an image from ECR", from.File,
			to.File)
	}
	return rights, len(both) > 0, err
}

// adding returns a list with one more word, unless it has it: services may share a repository.
func adding(all []string, word string) []string {
	if slices.Contains(all, word) {
		return all
	}
	return append(all, word)
}

// promotionNotes say where the policy belongs, and what the other account has to allow.
func promotionNotes(from, to *environment.Environment, tagging bool) []string {
	notes := []string{"put it on a role of account " + to.AccountID + ", such as that of deployer policy github"}
	source, target := from.Registry(), to.Registry()
	switch {
	case tagging && target.AccountID != to.AccountID:
		notes = append(notes, "the images stay in the registry of account "+target.AccountID+": its repositories have "+
			"to allow "+to.AccountID+" ecr:PutImage too, or put the tag with credentials of that account "+
			"(--from-profile)")
	case !tagging && source.AccountID != to.AccountID:
		notes = append(notes, "the source's repositories have to allow that account: deployer policy repository -f "+
			from.File+" --accounts "+to.AccountID)
	}
	return notes
}
