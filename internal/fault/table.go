package fault

// class says what resolves an error.
type class int

const (
	rejected      class = iota + 1 // a different event: [Rejected]
	misconfigured                  // a change of the environment: [Misconfigured]
	unavailable                    // a later attempt: [Unavailable]
)

// entry is what the deployer makes of one of AWS's error codes. A transient
// error has no hint: it is retried.
type entry struct {
	class class
	hint  string
}

// Hints that several errors share.
const (
	allowIt = noParts // unless AWS's message has the parts of a [Denial]
	badCall = "AWS rejected the request as invalid: check the task definition; if it is valid, this is a bug in " +
		"the deployer"
	notAWS      = "check that the endpoint is AWS's own; if it is, this is a bug in the deployer"
	raiseIt     = "raise the quota in Service Quotas, or use less of it"
	createIt    = "create it with the infrastructure, or name the right one in the environment file"
	unknownKeys = "AWS does not recognize these credentials: check them, and the account and partition they belong to"
	keyOrClock  = "check the secret key and the system clock"
	noKeys      = "there are no credentials: give the function a role, or set AWS_PROFILE"
	signIn      = "the session has expired: sign in again"
	badCopy     = "copy the image again; if it fails again, this is a bug in the deployer"
	keyState    = "check the state of the KMS key"
)

// table classifies, by code, the errors that are common to all of AWS and those
// of the operations that the deployer calls (testdata/operations.txt). Retries
// follow it: a transient error is retried within the invocation, no other is.
// One error is recognized by its message instead: see isConcurrentRevision.
var table = map[string]entry{
	// All services. See "Common error types" in any API reference.
	"AccessDenied":                           {misconfigured, allowIt},
	"AccessDeniedException":                  {misconfigured, allowIt},
	"UnauthorizedOperation":                  {misconfigured, allowIt},
	"NotAuthorized":                          {misconfigured, allowIt},
	"OptInRequired":                          {misconfigured, "enable the region, or the service, for the account"},
	"UnrecognizedClientException":            {misconfigured, unknownKeys},
	"InvalidClientTokenId":                   {misconfigured, unknownKeys},
	"InvalidSignatureException":              {misconfigured, keyOrClock},
	"SignatureDoesNotMatch":                  {misconfigured, keyOrClock},
	"IncompleteSignature":                    {misconfigured, notAWS},
	"MissingAuthenticationToken":             {misconfigured, noKeys},
	"MissingAuthenticationTokenException":    {misconfigured, noKeys},
	"ExpiredTokenException":                  {misconfigured, signIn},
	"ExpiredToken":                           {misconfigured, signIn},
	"UnknownOperationException":              {misconfigured, notAWS},
	"InvalidAction":                          {misconfigured, notAWS},
	"MalformedHttpRequestException":          {misconfigured, badCall},
	"SerializationException":                 {misconfigured, badCall},
	"ValidationError":                        {misconfigured, badCall},
	"ValidationException":                    {misconfigured, badCall},
	"RequestEntityTooLargeException":         {misconfigured, badCall},
	"RequestExpired":                         {unavailable, ""},
	"RequestAbortedException":                {unavailable, ""},
	"RequestTimeout":                         {unavailable, ""},
	"RequestTimeoutException":                {unavailable, ""},
	"InternalFailure":                        {unavailable, ""},
	"InternalError":                          {unavailable, ""},
	"InternalServerError":                    {unavailable, ""},
	"ServiceUnavailable":                     {unavailable, ""},
	"ServiceUnavailableException":            {unavailable, ""},
	"Throttling":                             {unavailable, ""},
	"ThrottlingException":                    {unavailable, ""},
	"ThrottledException":                     {unavailable, ""},
	"RequestThrottled":                       {unavailable, ""},
	"RequestThrottledException":              {unavailable, ""},
	"RequestLimitExceeded":                   {unavailable, ""},
	"TooManyRequestsException":               {unavailable, ""},
	"BandwidthLimitExceeded":                 {unavailable, ""},
	"ProvisionedThroughputExceededException": {unavailable, ""},
	"PriorRequestNotComplete":                {unavailable, ""},
	"TransactionInProgressException":         {unavailable, ""},
	"EC2ThrottledException":                  {unavailable, ""},
	"SlowDown":                               {unavailable, ""},

	// ECR and ECS.
	"ServerException":           {unavailable, ""},
	"InvalidParameterException": {misconfigured, badCall},
	"LimitExceededException":    {misconfigured, raiseIt},

	// ECS.
	"ClientException": {misconfigured,
		"see AWS's message: the task definition, the service or one of their roles is not valid"},
	"ClusterNotFoundException": {misconfigured, createIt},
	"ServiceNotFoundException": {misconfigured, createIt},
	"ServiceNotActiveException": {misconfigured,
		"it was deleted: create it again, or remove it from the environment file"},
	"NamespaceNotFoundException": {misconfigured, "create the Service Connect namespace that the service names"},
	"PlatformUnknownException":   {misconfigured, "change the service's platform version to one that exists"},
	"PlatformTaskDefinitionIncompatibilityException": {misconfigured,
		"change the service's platform version to one that can run the task definition"},
	"UnsupportedFeatureException": {misconfigured,
		"the region does not support a feature that the task definition or the service uses"},
	"BlockedException":          {misconfigured, "AWS has blocked the account: contact AWS Support"},
	"ConflictException":         {unavailable, ""},
	"ResourceNotFoundException": {misconfigured, createIt},
	"ServiceDeploymentNotFoundException": {misconfigured,
		"a newer service deployment may have replaced it: check the service's status"},

	// ECR.
	"RepositoryNotFoundException":       {misconfigured, createIt},
	"ImageNotFoundException":            {rejected, "push the image first, or check the tag"},
	"UnableToGetUpstreamImageException": {unavailable, ""},
	"LayerInaccessibleException":        {misconfigured, "push the image again: ECR cannot read one of its layers"},
	"LayersNotFoundException":           {misconfigured, "push the image again: one of its layers is missing"},
	"LifecyclePolicyNotFoundException":  {misconfigured, "give the repository a lifecycle policy"},
	"RepositoryPolicyNotFoundException": {misconfigured, "give the repository a policy"},
	"UnableToGetUpstreamLayerException": {unavailable, ""},

	// ECR, copying an image.
	"ImageAlreadyExistsException":                 {rejected, "the repository has this image under this tag"},
	"ImageDigestDoesNotMatchException":            {misconfigured, badCopy},
	"ImageTagAlreadyExistsException":              {rejected, "the tag is immutable: choose another tag"},
	"ReferencedImagesNotFoundException":           {misconfigured, badCopy},
	"EmptyUploadException":                        {misconfigured, badCopy},
	"InvalidLayerException":                       {misconfigured, badCopy},
	"InvalidLayerPartException":                   {misconfigured, badCopy},
	"LayerAlreadyExistsException":                 {misconfigured, badCopy},
	"LayerPartTooSmallException":                  {misconfigured, badCopy},
	"UploadNotFoundException":                     {misconfigured, badCopy},
	"KmsException":                                {misconfigured, "allow the caller the repository's KMS key"},
	"UnableToListUpstreamImageReferrersException": {unavailable, ""},

	// EventBridge; the last six are those of a single entry of PutEvents.
	"InternalException":               {unavailable, ""},
	"ConcurrentModificationException": {unavailable, ""},
	"ManagedRuleException": {misconfigured,
		"an AWS service made the rule, and only that service changes it: start the task by a rule of your own"},
	"InvalidEventPatternException":        {misconfigured, "correct the event pattern of the rule"},
	"InvalidAccountIdException":           {misconfigured, "name a bus of an account that exists"},
	"InvalidArgument":                     {misconfigured, badCall},
	"MalformedDetail":                     {misconfigured, "the detail of an event must be a JSON object"},
	"NotAuthorizedForSourceException":     {misconfigured, allowIt},
	"NotAuthorizedForDetailTypeException": {misconfigured, allowIt},
	"RedactionFailure":                    {misconfigured, badCall},

	// EventBridge Scheduler.
	"InternalServerException":       {unavailable, ""},
	"ServiceQuotaExceededException": {misconfigured, "delete schedules, or request a higher quota"},

	// SQS.
	"QueueDoesNotExist": {misconfigured, "check the queue's URL and region, and the account of these credentials"},
	"InvalidAddress": {misconfigured,
		"write the queue's URL like https://sqs.us-east-1.amazonaws.com/111111111111/name"},
	"InvalidSecurity":        {misconfigured, badCall},
	"InvalidIdFormat":        {misconfigured, badCall},
	"ReceiptHandleIsInvalid": {misconfigured, "another consumer received the message meanwhile, or it was deleted"},
	"MessageNotInflight":     {misconfigured, "another consumer received the message meanwhile, or it was deleted"},
	"OverLimit":              {unavailable, ""},
	"UnsupportedOperation":   {misconfigured, badCall},
	"KmsAccessDenied":        {misconfigured, "allow the caller kms:Decrypt with the KMS key of the queue"},
	"KmsDisabled":            {misconfigured, "enable the KMS key of the queue"},
	"KmsInvalidKeyUsage":     {misconfigured, "give the queue a KMS key for encryption"},
	"KmsInvalidState":        {misconfigured, keyState},
	"KmsNotFound":            {misconfigured, "the KMS key of the queue was deleted: give the queue another"},
	"KmsOptInRequired":       {misconfigured, keyState},
	"KmsThrottled":           {unavailable, ""},
	"InvalidAttributeName":   {misconfigured, badCall},
	"InvalidMessageContents": {misconfigured, badCall},

	// Lambda.
	"InvalidParameterValueException": {misconfigured, badCall},
	"ServiceException":               {unavailable, ""},

	// SSM.
	"ParameterNotFound":        {misconfigured, createIt},
	"ParameterVersionNotFound": {misconfigured, createIt},
	"InvalidKeyId": {misconfigured,
		"allow the function's role kms:Decrypt with the KMS key of the parameter"},

	// SNS.
	"AuthorizationError":          {misconfigured, allowIt},
	"NotFound":                    {misconfigured, createIt},
	"InvalidParameter":            {misconfigured, badCall},
	"ParameterValueInvalid":       {misconfigured, badCall},
	"EndpointDisabled":            {misconfigured, "publish to a topic, not to a mobile endpoint"},
	"PlatformApplicationDisabled": {misconfigured, "publish to a topic, not to a mobile endpoint"},
	"KMSAccessDenied": {misconfigured,
		"allow the function's role kms:GenerateDataKey and kms:Decrypt with the KMS key of the topic"},
	"KMSDisabled":      {misconfigured, "enable the KMS key of the topic"},
	"KMSInvalidState":  {misconfigured, keyState},
	"KMSNotFound":      {misconfigured, "the KMS key of the topic was deleted: give the topic another"},
	"KMSOptInRequired": {misconfigured, keyState},
	"KMSThrottling":    {unavailable, ""},

	// IAM.
	"NoSuchEntity":     {misconfigured, createIt},
	"ServiceFailure":   {unavailable, ""},
	"InvalidInput":     {misconfigured, badCall},
	"PolicyEvaluation": {unavailable, ""},
}
