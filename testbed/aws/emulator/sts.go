package emulator

import "encoding/xml"

// getCallerIdentity needs no permission.
func (e *Emulator) getCallerIdentity(r *request) (any, *Error) {
	type result struct{ Arn, UserId, Account string }
	id := r.account
	if r.role != "" {
		id = "AROAEMULATED" + r.account + ":" + sessionName
	}
	return struct {
		XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
		Result  result   `xml:"GetCallerIdentityResult"`
	}{Result: result{Arn: r.arn(), UserId: id, Account: r.account}}, nil
}
