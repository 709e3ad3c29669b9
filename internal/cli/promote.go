package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/promote"
)

// promoteTimeout limits one run of promote.
const promoteTimeout = 6 * time.Hour

// promoteFlags are the flags of promote.
type promoteFlags struct {
	from, to, as           string
	fromAccount, toAccount string
	fromProfile, toProfile string
	profile                string // of both, unless one of them has its own
	reason                 string
	force, referrers       bool
	dryRun, deploy, follow bool
	asJSON                 bool
}

func (a *app) promoteCommand() *cobra.Command {
	var how promoteFlags
	cmd := &cobra.Command{
		Use:   "promote --from ENV --to ENV SERVICE [TAG]",
		Short: "Copy an image from one environment's registry to another's",
		Long: `The image is copied by its digest, with the images of an index and with the
signatures, attestations and bills of materials that belong to it. Nothing is built
or written anew: what was tested is what arrives. The tag is put last, so it never
names an image that is incomplete. A copy that was interrupted continues when the
command is run again. Without TAG, it is the image that the service runs in
--from, or that the task's next run starts there. If both environments have their
images in one registry, the image only gets the tag.

The source is read with --from-profile, and the target is written with
--to-profile. One role can do both, with --profile, if the source's repository
policy allows its account. A new tag in the one registry of both is put with the
credentials of the registry's account, if either are.

With --deploy, a DEPLOY event for the tag is sent to the target environment, as
"deployer send" does.`,
		Example: `deployer promote --from dev --to prod backend git-abc123f --dry-run
deployer promote --from staging --to prod backend --as v1.2.3
deployer promote --from dev --to prod backend git-abc123f \
    --from-profile dev --to-profile prod --deploy --follow`,
		Annotations: permissions(slices.Concat([]string{
			"ecr:BatchGetImage (source and target)", tagActions[0],
			"ecr:GetDownloadUrlForLayer (source)",
			"ecr:BatchCheckLayerAvailability (target)", "ecr:InitiateLayerUpload (target)",
			"ecr:UploadLayerPart (target)", "ecr:CompleteLayerUpload (target)", "ecr:PutImage (target)",
			"ecr:DescribeRepositories (target; optional: if another image has the tag, says whether it is immutable)",
			"ecs:DescribeServices (source, without TAG; target, with --follow)",
			"ecs:DescribeTaskDefinition (source, without TAG; target, with --follow)",
			"ecs:ListTasks (source, without TAG, if the service names its image by a tag)",
			"ecs:DescribeTasks (source, without TAG, if the service names its image by a tag)",
			"scheduler:GetSchedule (source, without TAG, of a task; target, with --follow, of a task)",
			"events:ListTargetsByRule (the same, of a task that rules start)",
			"events:PutEvents (with --deploy)",
		}, stageActions)...),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return arguments("SERVICE")(cmd, args)
		},
	}
	target := fileFlag(cmd)
	asJSON := jsonFlag(cmd)
	how.addTo(cmd)
	cmd.ValidArgsFunction = a.completeServiceAndTag()
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		how.to = cmp.Or(how.to, *target)
		how.fromProfile = cmp.Or(how.fromProfile, how.profile)
		how.toProfile = cmp.Or(how.toProfile, how.profile)
		how.asJSON = *asJSON
		return a.promote(cmd.Context(), args, how)
	}
	return cmd
}

// addTo adds the flags of promote to it.
func (how *promoteFlags) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&how.from, "from", "", "`ENV` of the source: its name, or its file")
	flags.StringVar(&how.to, "to", "", "`ENV` of the target: its name, or its file (or -e, -f)")
	flags.StringVar(&how.as, "as", "", "`TAG` in the target; by default the same")
	flags.StringVar(&how.fromAccount, "from-account", "", "`ID` of the source's account, if its file has none")
	flags.StringVar(&how.toAccount, "to-account", "", "`ID` of the target's account, if its file has none")
	flags.StringVar(&how.fromProfile, "from-profile", "", "`NAME` of the AWS profile that reads the source")
	flags.StringVar(&how.toProfile, "to-profile", "", "`NAME` of the AWS profile that writes the target")
	flags.StringVar(&how.profile, "profile", "", "`NAME` of the AWS profile that does both")
	flags.BoolVar(&how.force, "force", false, "move the tag if another image has it")
	flags.BoolVar(&how.referrers, "referrers", true, "copy signatures, attestations and bills of materials")
	flags.BoolVar(&how.dryRun, "dry-run", false, "report what would be copied, change nothing")
	flags.BoolVar(&how.deploy, "deploy", false, "then send a DEPLOY event to the target environment")
	flags.BoolVar(&how.follow, "follow", false, "with --deploy: wait until the rollout has ended")
	flags.StringVar(&how.reason, "reason", "", "with --deploy: why, `TEXT` for the journal and the notifications")
	for _, name := range []string{"from", "to"} {
		_ = cmd.RegisterFlagCompletionFunc(name, completeEnvironments) // fails only for a flag that does not exist
	}
}

// check refuses flags that do not go together.
func (how promoteFlags) check() error {
	switch {
	case how.from == "":
		return wrongUsage("the source is missing: name it with --from")
	case how.to == "":
		return wrongUsage("the target is missing: name it with --to")
	case !how.deploy && (how.follow || how.reason != ""):
		return wrongUsage("--follow and --reason are for --deploy")
	}
	return nil
}

// promote copies the image and deploys it.
func (a *app) promote(ctx context.Context, args []string, how promoteFlags) error {
	if err := how.check(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, promoteTimeout)
	defer cancel()
	from, to, err := a.ends(ctx, args, how)
	if err != nil {
		return err
	}
	tag, digest, err := a.promoted(ctx, from, args[1:])
	if err != nil {
		a.noteRights(from, to, err)
		return err
	}
	if how.as != "" {
		tag = how.as
	}
	switch wrong := event.CheckTag(tag); {
	case tag == "":
		return hinted(commandLine(append(slices.Clone(a.args), "--as", "v1.0.0")...),
			"the revision that %s runs in %s has no tag: name one with --as", from.workload.Label(), from.env.Name)
	case wrong != "":
		return wrongUsage("%s", wrong)
	}
	plan, err := a.copyImage(ctx, from, to, digest, tag, how)
	if err != nil {
		a.noteRights(from, to, err)
		return err
	}
	document := promotionOf(plan, from, to, how.dryRun)
	if how.deploy && !how.dryRun {
		c := chosen{workloads: []environment.Workload{to.workload}}
		sent, failed := a.send(ctx, to.env, c, tag, sendFlags{profile: how.toProfile, reason: how.reason,
			follow: how.follow, asJSON: how.asJSON})
		document.deployed(sent, failed)
		err = failed
	}
	if how.asJSON {
		return errors.Join(err, printJSON(a.out, document))
	}
	return err
}

// copyImage copies the image and prints what was done, unless that is part of a document.
func (a *app) copyImage(ctx context.Context, from, to *end, digest, tag string, how promoteFlags) (
	*promote.Plan, error) {
	order := promote.Order{From: from.place(), To: to.place(), Digest: digest, Tag: tag, Force: how.force,
		Referrers: how.referrers}
	if order.From.Registry == order.To.Registry && order.From.Repository == order.To.Repository {
		writer := to
		if from.caller.AccountID == order.To.Registry.AccountID {
			writer = from
		}
		order.From.Config, order.To.Config = writer.place().Config, writer.place().Config
	}
	plan, err := order.Plan(ctx)
	if err == nil && !how.dryRun && !plan.Done() {
		p := newCopyProgress(a.err)
		err = plan.Run(ctx, p.show)
		p.end()
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return nil, &notEnded{hinted(commandLine(a.args...), "%s: what was copied stays, and the same command "+
				"continues", stopped(ctx))}
		default:
			a.note("what was copied stays: the same command continues")
		}
	}
	if err != nil {
		return nil, noRepository(a.tagTaken(err), to)
	}
	if !how.asJSON {
		a.printPromotion(plan, from, to, how.dryRun)
	}
	return plan, nil
}

// printPromotion prints the result.
func (a *app) printPromotion(p *promote.Plan, from, to *end, dryRun bool) {
	fmt.Fprintf(a.out, "%s: %s: from %s to %s\n", to.workload.Label(), copyStatus(p, dryRun), from.env.Name,
		to.env.Name)
	fmt.Fprintf(a.out, "  image  %s/%s\n", p.To.Registry.Host(), p.To.Repository)
	fmt.Fprintf(a.out, "  tag    %s\n  digest %s\n", p.Tag, p.Digest)
	if p.Moves != "" {
		fmt.Fprintf(a.out, "  before %s\n", p.Moves)
	}
	if len(p.Manifests) > 0 {
		verb := "copied"
		if dryRun {
			verb = "copies"
		}
		fmt.Fprintf(a.out, "  %s %s, %d of %s (%s)\n", verb, count(len(p.Manifests), "manifest"), p.Blobs,
			count(p.Blobs+p.Present, "blob"), size(p.Bytes))
	}
	if len(p.Kept) > 0 {
		a.note("%s keeps %s on another digest, such as %s", to.env.Name, count(len(p.Kept), "signature tag"), p.Kept[0])
	}
}

// count returns a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
