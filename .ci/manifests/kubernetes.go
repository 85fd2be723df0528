package main

import (
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/batch"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	"k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
	"sigs.k8s.io/yaml"
)

// mostParts are the sizes of a split that a manifest must be good for.
var mostParts = []int32{8, 10, 100, 1000}

func checkManifest(text string) (kind string, err error) {
	var head struct{ Kind, APIVersion string }
	if err := yaml.Unmarshal([]byte(text), &head); err != nil {
		return "manifest", err
	}
	switch {
	case head.APIVersion == "batch/v1" && head.Kind == "CronJob":
		var job batchv1.CronJob
		if err := yaml.UnmarshalStrict([]byte(text), &job); err != nil {
			return head.Kind, err
		}
		return head.Kind, validate(&job)
	case head.APIVersion == "batch/v1" && head.Kind == "Job":
		var job batchv1.Job
		if err := yaml.UnmarshalStrict([]byte(text), &job); err != nil {
			return head.Kind, err
		}
		return head.Kind, validateSizes(&job)
	}
	return "manifest", fmt.Errorf("%s %s is not checked: add it", head.APIVersion, head.Kind)
}

// validateSizes validates a job with as many parts as a split may have. It stands in a
// CronJob for that: a Job's own selector is made by the API server.
func validateSizes(job *batchv1.Job) error {
	for _, n := range mostParts {
		*job.Spec.Completions = n
		cron := &batchv1.CronJob{ObjectMeta: job.ObjectMeta, Spec: batchv1.CronJobSpec{
			Schedule: "0 0 * * *", ConcurrencyPolicy: batchv1.ForbidConcurrent, JobTemplate: batchv1.JobTemplateSpec{Spec: job.Spec},
		}}
		if err := validate(cron); err != nil {
			return fmt.Errorf("of %d parts: %w", n, err)
		}
	}
	return nil
}

// validate is what the API server does with a CronJob that is created.
func validate(job *batchv1.CronJob) error {
	if job.Namespace == "" {
		job.Namespace = "default"
	}
	legacyscheme.Scheme.Default(job)
	internal := new(batch.CronJob)
	if err := legacyscheme.Scheme.Convert(job, internal, nil); err != nil {
		return err
	}
	var faults []string
	for _, fault := range validation.ValidateCronJobCreate(internal, corevalidation.PodValidationOptions{}) {
		faults = append(faults, fault.Error())
	}
	for _, c := range internal.Spec.JobTemplate.Spec.Template.Spec.Containers {
		faults = append(faults, expanded(&internal.Spec.JobTemplate.Spec, &c)...)
	}
	return joined(faults)
}

// expanded makes a container's command as the kubelet does: what a shell is to expand must
// come through, and a variable of the container must be one that it has.
func expanded(spec *batch.JobSpec, c *core.Container) (faults []string) {
	has := make(map[string]string)
	for _, v := range c.Env {
		has[v.Name] = "value"
	}
	if spec.CompletionMode != nil && *spec.CompletionMode == batch.IndexedCompletion {
		has["JOB_COMPLETION_INDEX"] = "7"
	}
	shell := len(c.Command) == 2 && c.Command[0] == "sh" && c.Command[1] == "-c"
	for _, arg := range c.Args {
		text := expansion.Expand(arg, expansion.MappingFuncFor(has))
		if !shell && strings.Contains(text, "$(") {
			faults = append(faults, fmt.Sprintf("%s: nobody expands what is left of it: %s", arg, text))
		}
		if shell && text != arg {
			faults = append(faults, fmt.Sprintf("%s: the shell gets %s", arg, text))
		}
	}
	return faults
}
