package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/batch"
	"github.com/aws/aws-sdk-go-v2/service/batch/types"
)

// strictly decodes JSON of the AWS command line into the SDK's own input.
func strictly(text string, to any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more behind the object")
	}
	return nil
}

// accepting answers every request that the SDK lets out.
type accepting struct{}

func (accepting) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

func client() *batch.Client {
	return batch.New(batch.Options{Region: "eu-central-1", HTTPClient: accepting{}, Credentials: aws.AnonymousCredentials{}})
}

func checkDefinition(ctx context.Context, text string) error {
	var in batch.RegisterJobDefinitionInput
	if err := strictly(text, &in); err != nil {
		return err
	}
	var faults []string
	if !slices.Contains(in.Type.Values(), in.Type) {
		faults = append(faults, fmt.Sprintf("type %q", in.Type))
	}
	for _, r := range in.ContainerProperties.ResourceRequirements {
		if !slices.Contains(r.Type.Values(), r.Type) {
			faults = append(faults, fmt.Sprintf("resource type %q", r.Type))
		}
	}
	faults = append(faults, retryFaults(in.RetryStrategy)...)
	if _, err := client().RegisterJobDefinition(ctx, &in); err != nil {
		faults = append(faults, err.Error())
	}
	return joined(faults)
}

// retryFaults are those against what the reference of EvaluateOnExit says.
func retryFaults(r *types.RetryStrategy) (faults []string) {
	if r == nil || *r.Attempts < 1 || *r.Attempts > 10 || len(r.EvaluateOnExit) > 5 {
		return []string{"retryStrategy: 1 to 10 attempts, at most 5 conditions"}
	}
	for _, e := range r.EvaluateOnExit {
		if !slices.Contains(e.Action.Values(), e.Action) {
			faults = append(faults, fmt.Sprintf("action %q", e.Action))
		}
		if code := aws.ToString(e.OnExitCode); code == "" || strings.Trim(strings.TrimSuffix(code, "*"), "0123456789") != "" {
			faults = append(faults, fmt.Sprintf("onExitCode %q: digits, and * at the end", code))
		}
	}
	return faults
}

// checkSubmit reads the flags of the command line as what they set.
func checkSubmit(ctx context.Context, text string) error {
	_, command, _ := strings.Cut(strings.ReplaceAll(text, "\\\n", " "), "aws batch submit-job")
	command, _, _ = strings.Cut(command, "\n")
	words := strings.Fields(command)
	if len(words) == 0 || len(words)%2 != 0 {
		return fmt.Errorf("flags and values: %q", words)
	}
	values := make(map[string]any)
	for i := 0; i < len(words); i += 2 {
		name := strings.ReplaceAll(strings.TrimPrefix(words[i], "--"), "-", "")
		if values[name] = words[i+1]; name == "arrayproperties" {
			key, size, _ := strings.Cut(words[i+1], "=")
			values[name] = map[string]any{key: json.Number(size)}
		}
	}
	data, err := json.Marshal(values)
	if err != nil {
		return err
	}
	var in batch.SubmitJobInput
	if err := strictly(string(data), &in); err != nil {
		return err
	}
	if in.ArrayProperties == nil || *in.ArrayProperties.Size < 2 || *in.ArrayProperties.Size > 10_000 {
		return errors.New("array-properties: a size from 2 to 10000")
	}
	_, err = client().SubmitJob(ctx, &in)
	return err
}
