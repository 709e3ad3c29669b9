package cli

import (
	"context"
	"os"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/awsconfig"
	"deployer/internal/environment"
)

// credentialVariables are the variables that name credentials. The aws_profile of an
// environment file is for people's machines: where one of these is set, it is not used.
var credentialVariables = []string{
	"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
}

// credentialsNamed reports whether the command line or a variable names credentials.
func (a *app) credentialsNamed() bool {
	return a.profile != "" || slices.ContainsFunc(credentialVariables, func(name string) bool {
		return os.Getenv(name) != ""
	})
}

// config returns the AWS configuration for an environment.
func (a *app) config(ctx context.Context, env *environment.Environment) (aws.Config, error) {
	return a.configAs(ctx, env, "")
}

// configAs is [app.config] with the credentials of a profile. Without one they are those
// of --profile, else those that a variable names, else those of the environment file's
// aws_profile if the machine has that profile.
func (a *app) configAs(ctx context.Context, env *environment.Environment, profile string) (aws.Config, error) {
	if profile == "" {
		profile = a.profile
	}
	if profile != "" || env.AWSProfile == "" || a.credentialsNamed() {
		return loadProfile(ctx, env.Region, profile)
	}
	config, err := loadProfile(ctx, env.Region, env.AWSProfile)
	if !awsconfig.NoProfile(err) {
		return config, err
	}
	a.note("%s has aws_profile %s, which this machine does not have: the default credentials are used", env.File,
		env.AWSProfile)
	return loadProfile(ctx, env.Region, "")
}

// loadProfile loads the AWS configuration of a profile; its errors are those of AWS.
func loadProfile(ctx context.Context, region, profile string) (aws.Config, error) {
	config, err := awsconfig.LoadProfile(ctx, region, profile)
	switch {
	case err == nil:
		return config, nil
	case awsconfig.NoProfile(err):
		err = &hintedError{err, listProfiles()}
	}
	return config, &ofAWS{err}
}

// listProfiles is the command that shows the names of the machine's profiles. That of the AWS CLI
// is only v2's.
func listProfiles() string {
	files := ""
	for _, file := range [][2]string{{"AWS_CONFIG_FILE", "~/.aws/config"},
		{"AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"}} {
		if os.Getenv(file[0]) != "" {
			file[1] = `"$` + file[0] + `"`
		}
		files += " " + file[1]
	}
	return `grep -h '^\[' ` + files[1:] + " # shows the profiles that there are"
}
