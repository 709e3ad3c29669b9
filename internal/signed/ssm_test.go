//go:build slow

package signed

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

func init() {
	services["ssm"] = service{
		sdkEndpoint: func(ctx context.Context, region string, fips, dualStack bool) (string, error) {
			p := ssm.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dualStack}
			e, err := ssm.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, p)
			return e.URI.String(), err
		},
		callSDK: func(ctx context.Context, c aws.Config) error {
			_, err := ssm.NewFromConfig(c).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/n")})
			return err
		},
		callOurs: func(ctx context.Context, c aws.Config) error {
			return New(c).JSON(ctx, "ssm", "AmazonSSM.GetParameter", "reading", struct{}{}, &struct{}{})
		},
	}
}
