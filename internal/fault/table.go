package fault

// class is who has to mend a fault.
type class int

const (
	sender  class = iota + 1 // a [Rejection]: the event asks for what cannot be
	keeper                   // a [Misconfiguration]: somebody must change the environment
	passing                  // an [Outage]: it passes
)

// verdict is the class of an error that AWS models, and what its keeper is to do.
type verdict struct {
	class class
	hint  string
}

// The hints that several errors share.
const (
	allowIt   = "allow it in the IAM policy of the caller named above"
	badCall   = "the deployer sent what AWS does not take: if it is not the task definition's doing, it is a fault of the deployer"
	notCalled = "the deployer makes no call that answers so: it is a fault of the deployer, or of AWS"
	raiseIt   = "raise the quota in Service Quotas, or use less of it"
	makeIt    = "create it with the infrastructure, or name the right one in the environment file"
)

// verdicts is every error that ECR, ECS, EventBridge and SQS model, and the ones
// common to all of AWS, by code. Retries follow it too: what passes is tried
// again within the invocation, and nothing else is. ECS's refusal of concurrent
// registrations alone is told by its text (see concurrentRevision).
var verdicts = map[string]verdict{
	// Common to all services. See "Common error types" in any API reference.
	"AccessDenied":                           {keeper, allowIt},
	"AccessDeniedException":                  {keeper, allowIt},
	"UnauthorizedOperation":                  {keeper, allowIt},
	"NotAuthorized":                          {keeper, allowIt},
	"OptInRequired":                          {keeper, "enable the region, or the service, for the account"},
	"UnrecognizedClientException":            {keeper, "these credentials are nobody's: check them, and the account and partition they are for"},
	"InvalidClientTokenId":                   {keeper, "these credentials are nobody's: check them, and the account and partition they are for"},
	"InvalidSignatureException":              {keeper, "the secret key is wrong, or the clock is"},
	"SignatureDoesNotMatch":                  {keeper, "the secret key is wrong, or the clock is"},
	"IncompleteSignature":                    {keeper, notCalled},
	"MissingAuthenticationToken":             {keeper, "there are no credentials: give the function a role, or yourself a profile"},
	"MissingAuthenticationTokenException":    {keeper, "there are no credentials: give the function a role, or yourself a profile"},
	"ExpiredTokenException":                  {keeper, "the session has ended: sign in again"},
	"ExpiredToken":                           {keeper, "the session has ended: sign in again"},
	"UnknownOperationException":              {keeper, notCalled},
	"InvalidAction":                          {keeper, notCalled},
	"MalformedHttpRequestException":          {keeper, badCall},
	"SerializationException":                 {keeper, badCall},
	"ValidationError":                        {keeper, badCall},
	"ValidationException":                    {keeper, badCall},
	"RequestEntityTooLargeException":         {keeper, badCall},
	"RequestExpired":                         {passing, ""},
	"RequestAbortedException":                {passing, ""},
	"RequestTimeout":                         {passing, ""},
	"RequestTimeoutException":                {passing, ""},
	"InternalFailure":                        {passing, ""},
	"InternalError":                          {passing, ""},
	"InternalServerError":                    {passing, ""},
	"ServiceUnavailable":                     {passing, ""},
	"ServiceUnavailableException":            {passing, ""},
	"Throttling":                             {passing, ""},
	"ThrottlingException":                    {passing, ""},
	"ThrottledException":                     {passing, ""},
	"RequestThrottled":                       {passing, ""},
	"RequestThrottledException":              {passing, ""},
	"RequestLimitExceeded":                   {passing, ""},
	"TooManyRequestsException":               {passing, ""},
	"BandwidthLimitExceeded":                 {passing, ""},
	"ProvisionedThroughputExceededException": {passing, ""},
	"PriorRequestNotComplete":                {passing, ""},
	"TransactionInProgressException":         {passing, ""},
	"EC2ThrottledException":                  {passing, ""},
	"SlowDown":                               {passing, ""},

	// Of both ECR and ECS.
	"ServerException":           {passing, ""},
	"InvalidParameterException": {keeper, badCall},
	"LimitExceededException":    {keeper, raiseIt},

	// ECS, of the operations that the deployer uses.
	"ClientException":                                {keeper, "see AWS's words; the task definition, the service or its roles are not what they must be"},
	"ClusterNotFoundException":                       {keeper, makeIt},
	"ServiceNotFoundException":                       {keeper, makeIt},
	"ServiceNotActiveException":                      {keeper, "it was deleted: create it again, or take it out of the environment file"},
	"NamespaceNotFoundException":                     {keeper, "create the Service Connect namespace that the service names"},
	"PlatformUnknownException":                       {keeper, "change the service's platform version to one that exists"},
	"PlatformTaskDefinitionIncompatibilityException": {keeper, "change the service's platform version to one that can run the task definition"},
	"UnsupportedFeatureException":                    {keeper, "the region does not have what the task definition or the service asks for"},
	"BlockedException":                               {keeper, "AWS has blocked the account: ask its support"},
	// ECS, of operations that it does not use.
	"AttributeLimitExceededException":            {keeper, notCalled},
	"ClusterContainsCapacityProviderException":   {keeper, notCalled},
	"ClusterContainsContainerInstancesException": {keeper, notCalled},
	"ClusterContainsServicesException":           {keeper, notCalled},
	"ClusterContainsTasksException":              {keeper, notCalled},
	"ConflictException":                          {passing, ""},
	"DaemonNotActiveException":                   {keeper, notCalled},
	"DaemonNotFoundException":                    {keeper, notCalled},
	"GatewayNotFoundException":                   {keeper, notCalled},
	"MissingVersionException":                    {keeper, notCalled},
	"NoUpdateAvailableException":                 {keeper, notCalled},
	"ResourceInUseException":                     {keeper, notCalled},
	"ResourceNotFoundException":                  {keeper, makeIt},
	"ServiceDeploymentNotFoundException":         {keeper, "another one has taken its place: look at the service again"},
	"TargetNotConnectedException":                {keeper, notCalled},
	"TargetNotFoundException":                    {keeper, notCalled},
	"TaskSetNotFoundException":                   {keeper, notCalled},
	"UpdateInProgressException":                  {passing, ""},

	// SQS, of the operations that the deployer uses.
	"QueueDoesNotExist":      {keeper, "check the URL, its region, and whose credentials these are"},
	"InvalidAddress":         {keeper, "check the URL: like https://sqs.REGION.amazonaws.com/ACCOUNT/NAME"},
	"InvalidSecurity":        {keeper, badCall},
	"InvalidIdFormat":        {keeper, badCall},
	"ReceiptHandleIsInvalid": {keeper, "the message was received by another meanwhile, or is gone"},
	"MessageNotInflight":     {keeper, "the message was received by another meanwhile, or is gone"},
	"OverLimit":              {passing, ""},
	"UnsupportedOperation":   {keeper, badCall},
	"KmsAccessDenied":        {keeper, "let the caller use the key that the queue is encrypted with: kms:Decrypt"},
	"KmsDisabled":            {keeper, "enable the key that the queue is encrypted with"},
	"KmsInvalidKeyUsage":     {keeper, "the key of the queue is not one for encryption: give the queue another"},
	"KmsInvalidState":        {keeper, "see the state of the key that the queue is encrypted with"},
	"KmsNotFound":            {keeper, "the key of the queue is gone: give the queue another"},
	"KmsOptInRequired":       {keeper, "see the state of the key that the queue is encrypted with"},
	"KmsThrottled":           {passing, ""},
	// SQS, of operations that it does not use.
	"BatchEntryIdsNotDistinct":     {keeper, notCalled},
	"BatchRequestTooLong":          {keeper, notCalled},
	"EmptyBatchRequest":            {keeper, notCalled},
	"InvalidAttributeName":         {keeper, notCalled},
	"InvalidAttributeValue":        {keeper, notCalled},
	"InvalidBatchEntryId":          {keeper, notCalled},
	"InvalidMessageContents":       {keeper, notCalled},
	"PurgeQueueInProgress":         {keeper, notCalled},
	"QueueDeletedRecently":         {keeper, notCalled},
	"QueueNameExists":              {keeper, notCalled},
	"TooManyEntriesInBatchRequest": {keeper, notCalled},

	// ECR, of the operations that the deployer uses.
	"RepositoryNotFoundException":          {keeper, makeIt},
	"ImageNotFoundException":               {sender, "push the image first, or check the tag"},
	"KmsException":                         {keeper, "let the caller use the key that the repository is encrypted with"},
	"UnableToGetUpstreamImageException":    {passing, ""},
	"BlockedByOrganizationPolicyException": {keeper, "a policy of the organization forbids it"},
	"ImageArchivedException":               {keeper, "restore the image from the archive, or push it again"},
	// ECR, of operations that it does not use.
	"EmptyUploadException":                         {keeper, notCalled},
	"ExclusionAlreadyExistsException":              {keeper, notCalled},
	"ExclusionNotFoundException":                   {keeper, notCalled},
	"ImageAlreadyExistsException":                  {keeper, notCalled},
	"ImageDigestDoesNotMatchException":             {keeper, notCalled},
	"ImageStorageClassUpdateNotSupportedException": {keeper, notCalled},
	"ImageTagAlreadyExistsException":               {keeper, notCalled},
	"InvalidLayerException":                        {keeper, notCalled},
	"InvalidLayerPartException":                    {keeper, notCalled},
	"InvalidTagParameterException":                 {keeper, notCalled},
	"LayerAlreadyExistsException":                  {keeper, notCalled},
	"LayerInaccessibleException":                   {keeper, notCalled},
	"LayerPartTooSmallException":                   {keeper, notCalled},
	"LayersNotFoundException":                      {keeper, notCalled},
	"LifecyclePolicyNotFoundException":             {keeper, notCalled},
	"LifecyclePolicyPreviewInProgressException":    {keeper, notCalled},
	"LifecyclePolicyPreviewNotFoundException":      {keeper, notCalled},
	"PullThroughCacheRuleAlreadyExistsException":   {keeper, notCalled},
	"PullThroughCacheRuleNotFoundException":        {keeper, notCalled},
	"ReferencedImagesNotFoundException":            {keeper, notCalled},
	"RegistryPolicyNotFoundException":              {keeper, notCalled},
	"ReplicationBackfillInProgressException":       {keeper, notCalled},
	"ReplicationBackfillInvalidStatusException":    {keeper, notCalled},
	"ReplicationBackfillNotFoundException":         {keeper, notCalled},
	"RepositoryAlreadyExistsException":             {keeper, notCalled},
	"RepositoryNotEmptyException":                  {keeper, notCalled},
	"RepositoryPolicyNotFoundException":            {keeper, notCalled},
	"ScanNotFoundException":                        {keeper, notCalled},
	"SecretNotFoundException":                      {keeper, notCalled},
	"SigningConfigurationNotFoundException":        {keeper, notCalled},
	"TemplateAlreadyExistsException":               {keeper, notCalled},
	"TemplateNotFoundException":                    {keeper, notCalled},
	"TooManyTagsException":                         {keeper, notCalled},
	"UnableToAccessSecretException":                {keeper, notCalled},
	"UnableToDecryptSecretValueException":          {keeper, notCalled},
	"UnableToGetUpstreamLayerException":            {passing, ""},
	"UnableToListUpstreamImageReferrersException":  {passing, ""},
	"UnsupportedImageTypeException":                {keeper, notCalled},
	"UnsupportedUpstreamRegistryException":         {keeper, notCalled},
	"UploadNotFoundException":                      {keeper, notCalled},

	// EventBridge.
	"InternalException":               {passing, ""},
	"ConcurrentModificationException": {passing, ""},
	"IllegalStatusException":          {keeper, notCalled},
	"InvalidEventPatternException":    {keeper, notCalled},
	"InvalidStateException":           {keeper, notCalled},
	"ManagedRuleException":            {keeper, notCalled},
	"OperationDisabledException":      {keeper, notCalled},
	"PolicyLengthExceededException":   {keeper, notCalled},
	"ResourceAlreadyExistsException":  {keeper, notCalled},
	// EventBridge, of a single entry of PutEvents.
	"InvalidAccountIdException":           {keeper, "name a bus of an account that exists"},
	"InvalidArgument":                     {keeper, badCall},
	"MalformedDetail":                     {keeper, "the detail of an event has to be a JSON object"},
	"NotAuthorizedForSourceException":     {keeper, allowIt},
	"NotAuthorizedForDetailTypeException": {keeper, allowIt},
	"RedactionFailure":                    {keeper, badCall},

	// SSM, of GetParameter.
	"ParameterNotFound":        {keeper, makeIt},
	"ParameterVersionNotFound": {keeper, makeIt},
	"InvalidKeyId":             {keeper, "let the function's role decrypt with the key of the parameter: kms:Decrypt"},

	// SNS, of Publish.
	"AuthorizationError": {keeper, allowIt},
	"NotFound":           {keeper, makeIt},
	"InvalidParameter":   {keeper, badCall},
	"KMSAccessDenied":    {keeper, "let the function's role encrypt with the key of the topic: kms:GenerateDataKey and kms:Decrypt"},
	"KMSDisabled":        {keeper, "enable the key of the topic"},
	"KMSInvalidState":    {keeper, "see the state of the topic's key"},
	"KMSNotFound":        {keeper, "the key of the topic is gone: give the topic another"},
	"KMSOptInRequired":   {keeper, "see the state of the topic's key"},
	"KMSThrottling":      {passing, ""},
}
