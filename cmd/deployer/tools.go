//go:build !function

package main

// tools are the commands for people alone. The function's own build leaves them
// out with the clients of AWS that only they need: its size is a part of every
// cold start.
var tools = []subcommand{
	{"migrate", "FILE... | all [-n] [-dir DIR]", "move environment files from schema version 6 to 7, which names the ECR strategy", (*cli).migrate},
	{"doctor", "-f FILE [SERVICE...] [-json]", "say whether an environment can be deployed to, what is wrong, and what to do (only reads)", (*cli).doctor},
	{"policy", "repository|lifecycle|bus|github -f FILE [-org ID] [-accounts A,B] [-repo OWNER/NAME] [-format json|terraform]", "print the policies that accounts have to give each other", (*cli).policy},
	{"params", "-f FILE [-format sam|samconfig|tfvars] [NAME=VALUE...]", "print the parameters of the deployer's own stack, as the environment file has them", (*cli).params},
	{"send", "-f FILE SERVICE TAG [-bus ARN] [-reason TEXT] [-actor WHO] [-dry-run] [-follow]", "send the deployer a DEPLOY event, as aws events put-events does, but checked", (*cli).send},
	{"status", "-f FILE [SERVICE...] [-json] [-watch]", "show what each service runs, since when and by whom, its rollout, and what has drifted (exit code 1 if a rollout failed or a service cannot be read)", (*cli).status},
	{"history", "-f FILE SERVICE [-n 20] [-json]", "list what was deployed to SERVICE, newest first: when, by whom, why, and how it ended", (*cli).history},
	{"rollback", "-f FILE SERVICE [-to REVISION|TAG] [-dry-run] [-follow] [-reason TEXT] [-json]", "go back to the last image of SERVICE whose rollout succeeded, if ECR still has it", (*cli).rollback},
	{"diff", "-f FILE SERVICE TAG", "show as a unified diff what deploying TAG would change of the task definition that runs (only reads, shows no secrets)", (*cli).diff},
	{"continue", "-f FILE SERVICE", "let a paused deployment of SERVICE go on", (*cli).goOn},
	{"stop", "-f FILE SERVICE [-abort]", "end a deployment of SERVICE that is in progress, and roll it back", (*cli).stop},
	{"redrive", "-f FILE -queue URL [-dry-run] [-max N]", "run the events that a failure queue has kept once more, and delete what is done", (*cli).redrive},
}

// noCommand is what to do where a command does not exist.
const noCommand = "deployer help"
