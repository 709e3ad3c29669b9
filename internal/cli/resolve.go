package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"deployer/internal/caller"
	"deployer/internal/environment"
	"deployer/internal/image"
	"deployer/internal/resolve"
)

func (a *app) resolveCommand() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "resolve -e ENV SERVICE TAG",
		Short: "Print the image reference of SERVICE under TAG",
		Long: `The registry and the repository follow from the environment file, without AWS: the
image need not exist. With --check, ECR is asked for it: the reference has its digest,
and the exit code is 3 if there is no such image.`,
		Example: `deployer resolve -e prod backend git-abc123f
deployer resolve -e prod backend git-abc123f --check`,
		Annotations: permissions("ecr:BatchGetImage (with --check)", tagActions[0]),
		Args:        arguments("SERVICE", "TAG"),
	}
	file, account := fileFlag(cmd), accountFlag(cmd)
	cmd.Flags().BoolVar(&check, "check", false, "ask ECR for the image, and print its digest")
	asJSON := jsonFlag(cmd)
	cmd.ValidArgsFunction = a.completeServiceAndTag()
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		_, w, tag, err := a.loadServiceAndTag(*file, args)
		if err != nil {
			return err
		}
		env, err := a.loadIn(*file, *account)
		if err != nil {
			return err
		}
		w = env.Current(w)
		switch {
		case check:
			return a.resolve(cmd.Context(), env, w, tag, *asJSON)
		case env.AccountID == "" && w.Registry.AccountID == "":
			return hinted(env.Command("resolve", w.Label(), tag, "--check"),
				"%s does not name the account of the registry: add account_id to it, use --account, or --check to "+
					"ask AWS",
				env.File)
		case w.Repository == "":
			return fmt.Errorf("%s %s runs %q, from outside ECR: it has no image under a tag",
				w.Kind, w.Name, w.External)
		}
		a.note("ECR was not asked whether the image exists: %s", env.Command("resolve", w.Label(), tag, "--check"))
		return a.printImage(env, w, w.Reference(tag), *asJSON)
	}
	return cmd
}

// resolvedImage is what resolve prints with --json.
type resolvedImage struct {
	Environment string `json:"environment"`
	Service     string `json:"service"` // or task:NAME
	Image       string `json:"image"`   // the reference: by digest with --check, else by tag
	Registry    string `json:"registry"`
	Repository  string `json:"repository"`
	Tag         string `json:"tag"`
	Digest      string `json:"digest,omitempty"` // with --check
	Checked     bool   `json:"checked"`          // with --check: ECR has the image
}

// printImage prints the image of a workload under a tag; with a digest, its reference has no
// tag, as in a task definition.
func (a *app) printImage(env *environment.Environment, w environment.Workload, ref image.Reference, asJSON bool) error {
	tag := ref.Tag
	if ref.Digest != "" {
		ref.Tag = ""
	}
	if asJSON {
		return printJSON(a.out, resolvedImage{env.Name, w.Label(), ref.String(), ref.Host, ref.Repository, tag,
			ref.Digest, ref.Digest != ""})
	}
	_, err := fmt.Fprintln(a.out, ref)
	return err
}

// resolve asks ECR for the image of a workload under a tag, and prints its
// reference by digest. The credentials may belong to any account that ECR lets
// pull.
func (a *app) resolve(ctx context.Context, env *environment.Environment, w environment.Workload, tag string,
	asJSON bool) error {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	config, err := a.config(ctx, env)
	if err != nil {
		return err
	}
	if env.AccountID == "" {
		identity, err := caller.Identity(ctx, config)
		if err != nil {
			return err
		}
		env = env.In(identity.AccountID)
	}
	ref, err := resolve.New(config).Resolve(ctx, env, env.Current(w), tag)
	if err != nil {
		return a.withTags(ctx, config, env, env.Current(w), tag, err)
	}
	ref.Tag = tag
	return a.printImage(env, env.Current(w), ref, asJSON)
}
