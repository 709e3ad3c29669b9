package events

import (
	"context"
	"fmt"
	"slices"
)

// HandleLambda makes f the Lambda function with the ARN. A delivery succeeds if f returns nil. An error stands for one
// that EventBridge gets when it invokes the function asynchronously: the event goes to the target's dead-letter queue
// at once, as if the target's retries were exhausted. Several deliveries may run at the same time.
func (e *Server) HandleLambda(arn string, f func(ctx context.Context, event []byte) error) {
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	e.functions[arn] = f
}

// Drain waits until no delivery to a function is running, or returns an error that wraps the context's.
func (e *Server) Drain(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		e.backend.Mu.Lock()
		defer e.backend.Mu.Unlock()
		e.idle.Broadcast()
	})
	defer stop()
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	for e.running > 0 {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("waiting for %d deliveries: %w", e.running, err)
		}
		e.idle.Wait()
	}
	return nil
}

// deliverToLambda starts an invocation of the function that is the target.
func (e *Server) deliverToLambda(r *rule, t target, body []byte) {
	f, ok := e.functions[t.ARN]
	if !ok {
		e.deadLetter(r, t, body, failure{code: "NO_RESOURCE", message: "Function not found: " + t.ARN})
		return
	}
	e.running++
	go e.invoke(f, r, t, body)
}

// Invoke starts an asynchronous invocation of the function with the ARN for another service. failed is called if that
// is not possible. Both run with the backend's lock held.
func (e *Server) Invoke(arn string, input []byte, failed func(code, message string)) {
	f, ok := e.functions[arn]
	if !ok {
		failed("ResourceNotFoundException", "Function not found: "+arn)
		return
	}
	e.running++
	go func() {
		err := f(context.Background(), slices.Clone(input))
		e.backend.Mu.Lock()
		defer e.backend.Mu.Unlock()
		if err != nil {
			failed("ServiceException", err.Error())
		}
		e.ended()
	}()
}

// ended counts an invocation that has ended.
func (e *Server) ended() {
	e.running--
	if e.running == 0 {
		e.idle.Broadcast()
	}
}

// invoke runs a function without holding the lock.
func (e *Server) invoke(f func(context.Context, []byte) error, r *rule, t target, body []byte) {
	err := f(context.Background(), slices.Clone(body))
	e.backend.Mu.Lock()
	defer e.backend.Mu.Unlock()
	if err != nil {
		e.deadLetter(r, t, body, failure{code: "ERROR_FROM_TARGET", message: err.Error(), retryable: true})
	}
	e.ended()
}
