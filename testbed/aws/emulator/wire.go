package emulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// An object is a JSON object that is answered.
type object map[string]any

// A timestamp is a time as the JSON protocol has it: seconds since 1970 with three decimals.
type timestamp time.Time

func (t timestamp) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Time(t).UnixMilli())/1000, 'f', -1, 64), nil
}

// contentType is that of requests and answers of the JSON 1.1 protocol.
const contentType = "application/x-amz-json-1.1"

// writeJSON answers a call of the JSON 1.1 protocol.
func writeJSON(w http.ResponseWriter, requestID string, answer any, err *Error) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Amzn-RequestId", requestID)
	if err != nil {
		o := object{"__type": err.Code}
		if err.Message != "" {
			o[messageKey(err.Code)] = err.Message
		}
		answer = o
	}
	body := encode(answer)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if err != nil {
		w.WriteHeader(err.Status)
	}
	w.Write(body)
}

// encode writes a value in JSON, and nothing in it otherwise than it is.
func encode(answer any) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		panic(fmt.Sprintf("encoding an answer: %v", err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// messageKey is the member that holds an error's message. Errors that stem from
// authorization, not from the service itself, write it with a capital.
func messageKey(code string) string {
	if code == "AccessDeniedException" {
		return "Message"
	}
	return "message"
}

// writeXML answers a call of the query protocol.
func writeXML(w http.ResponseWriter, requestID, space string, answer any, err *Error) {
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-RequestId", requestID)
	if err != nil {
		type fault struct{ Type, Code, Message string }
		answer = struct {
			XMLName   xml.Name
			Error     fault
			RequestID string `xml:"RequestId"`
		}{XMLName: xml.Name{Space: space, Local: "ErrorResponse"}, Error: fault{"Sender", err.Code, err.Message}, RequestID: requestID}
	}
	body, xmlErr := xml.Marshal(answer)
	if xmlErr != nil {
		panic(fmt.Sprintf("encoding an answer: %v", xmlErr))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if err != nil {
		w.WriteHeader(err.Status)
	}
	w.Write(body)
}

// next returns a number that no earlier call returned, spread over all of uint64. The
// same calls in the same order give the same numbers.
func (e *Emulator) next() [sha256.Size]byte {
	e.serial++
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, e.serial))
}

// newUUID returns a new identifier in the form of a random UUID.
func (e *Emulator) newUUID() string {
	b := e.next()
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// newDeploymentID returns a new identifier of an ECS deployment: ecs-svc/ and 19 digits.
func (e *Emulator) newDeploymentID() string {
	b := e.next()
	const least = 1_000_000_000_000_000_000
	return fmt.Sprintf("ecs-svc/%d", least+binary.BigEndian.Uint64(b[:])%(8*least))
}
