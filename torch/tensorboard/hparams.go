package tensorboard

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/torch"
)

// AddHParamsOptions are the options of [SummaryWriter.AddHParams].
type AddHParamsOptions struct {
	DomainDiscrete map[string][]any // hparam_domain_discrete: the values that a hyperparameter can have, of its type
	RunName        string           // run_name: the folder of the run in that of the writer; "" is the time, in seconds since 1970
	Step           int              // global_step
}

// AddHParams adds a run to the table of hyperparameters: its hyperparameters, each a bool, an int, a float64 or a
// string, and the metrics that it reached, which become scalars too: add_hparams(hparams, metrics). nil among the
// hyperparameters is left out, and a bool counts as 0 or 1, as in Python. The error for a value of another type names
// the hyperparameter.
//
// https://docs.pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_hparams
func (w *SummaryWriter) AddHParams(hparams map[string]any, metrics map[string]float64, options ...AddHParamsOptions) (err error) {
	o := torch.Only(options)
	summaries, err := runOf(hparams, metrics, o.DomainDiscrete)
	if err != nil {
		return fmt.Errorf("tensorboard: %w", err)
	}
	if o.RunName == "" {
		o.RunName = pyrepr.Float(float64(time.Now().UnixMicro()) / 1e6)
	}
	run, err := NewSummaryWriter(filepath.Join(w.dir, o.RunName))
	if err != nil {
		return err
	}
	defer func() {
		if e := run.Close(); err == nil {
			err = e
		}
	}()
	for _, s := range summaries {
		if err := run.write(event{step: o.Step, summary: s}); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		if err := run.AddScalar(name, metrics[name], o.Step); err != nil {
			return err
		}
	}
	return nil
}

// The messages of hyperparameters are those of TensorBoard's plugin_data.proto and api.proto.
//
// https://github.com/tensorflow/tensorboard/blob/master/tensorboard/plugins/hparams/api.proto
const (
	typeString, typeFloat64    = 1, 3
	experiment, start, end     = 2, 3, 4 // fields of HParamsPluginData
	infoName, infoType         = 1, 4    // fields of HParamInfo
	infoDomain                 = 5
	hparamInfos, metricInfos   = 4, 5 // fields of Experiment
	numberValue, stringValue   = 2, 3 // fields of google.protobuf.Value
	statusSuccess              = 1
	metricName, metricNamesTag = 1, 2 // fields of MetricInfo and MetricName
)

// runOf returns the summaries of a run: what hyperparameters and metrics there are, their values, and the end.
func runOf(hparams map[string]any, metrics map[string]float64, domains map[string][]any) ([]summary, error) {
	for name := range domains {
		if hparams[name] == nil {
			return nil, fmt.Errorf("the values that the hyperparameter %q can have are given, but not its value", name)
		}
	}
	var infos, values []byte
	for _, name := range slices.Sorted(maps.Keys(hparams)) {
		if hparams[name] == nil {
			continue
		}
		kind, value, err := protoValue(hparams[name])
		if err != nil {
			return nil, fmt.Errorf("the hyperparameter %q: %w", name, err)
		}
		values = appendBytes(values, 1, appendBytes(appendBytes(nil, 1, name), 2, value))
		info := appendInt(appendBytes(nil, infoName, name), infoType, kind)
		if domain, ok := domains[name]; ok {
			var list []byte
			for i, v := range domain {
				k, value, err := protoValue(v)
				if err == nil && k != kind {
					err = fmt.Errorf("it is of another type than the value %v", hparams[name])
				}
				if err != nil {
					return nil, fmt.Errorf("value %d of those that the hyperparameter %q can have: %w", i, name, err)
				}
				list = appendBytes(list, 1, value)
			}
			info = appendBytes(info, infoDomain, list)
		}
		infos = appendBytes(infos, hparamInfos, info)
	}
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		infos = appendBytes(infos, metricInfos, appendBytes(nil, metricName, appendBytes(nil, metricNamesTag, name)))
	}
	of := func(tag string, field protowire.Number, message []byte) summary {
		return plugin{tag: "_hparams_/" + tag, name: "hparams", content: appendBytes(nil, field, message)}
	}
	return []summary{
		of("experiment", experiment, infos),
		of("session_start_info", start, values),
		of("session_end_info", end, appendInt(nil, 1, statusSuccess)),
	}, nil
}

// protoValue returns the type of a hyperparameter, and its value as a google.protobuf.Value.
func protoValue(v any) (kind int, value []byte, err error) {
	switch v := v.(type) {
	case string:
		return typeString, appendBytes(nil, stringValue, v), nil
	case bool:
		if v {
			return protoValue(1)
		}
		return protoValue(0)
	case int:
		return protoValue(float64(v))
	case float64:
		return typeFloat64, appendDouble(nil, numberValue, v), nil
	}
	return 0, nil, fmt.Errorf("a %T is no bool, int, float64 or string", v)
}
