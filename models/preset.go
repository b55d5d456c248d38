package models

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// A Task is the purpose of a model, which determines its inputs and outputs.
type Task string

// The tasks of torchvision's packages and presets.
const (
	Classification      Task = "classification"       // a picture's class; the module is an nn.Module that maps [N, 3, H, W] to logits [N, classes]
	Segmentation        Task = "segmentation"         // the class of each pixel
	Detection           Task = "detection"            // boxes with classes, and masks or key points in them
	VideoClassification Task = "video_classification" // a clip's class
	OpticalFlow         Task = "optical_flow"         // how far each pixel moves between two pictures
)

// A Preset defines how the inputs of a model are prepared: the parameters of one of the
// classes of torchvision.transforms._presets. Each task has a type of its own:
// [ClassificationPreset], [SegmentationPreset], [DetectionPreset],
// [VideoClassificationPreset] and [OpticalFlowPreset]. Package hub makes transforms of them.
//
// https://docs.pytorch.org/vision/stable/transforms.html
type Preset interface {
	// Task returns the task that the preset belongs to.
	Task() Task
	// WithDefaults returns the preset with torchvision's defaults in place of zeros.
	WithDefaults() Preset
	// String describes the preset in a line.
	String() string
}

// ReadPreset reads the preset of a task from an object of JSON, whose keys are torchvision's arguments, with torchvision's
// defaults for missing ones. An unknown task is an error.
func ReadPreset(task Task, data []byte) (Preset, error) {
	read := presets[task]
	if read == nil {
		return nil, fmt.Errorf("there is no task %.100q", task)
	}
	return read(data)
}

// Tasks returns all tasks in alphabetical order.
func Tasks() []Task { return slices.Sorted(maps.Keys(presets)) }

// presets reads presets by their task.
var presets = map[Task]func([]byte) (Preset, error){
	Classification:      readPreset[ClassificationPreset],
	Segmentation:        readPreset[SegmentationPreset],
	Detection:           readPreset[DetectionPreset],
	VideoClassification: readPreset[VideoClassificationPreset],
	OpticalFlow:         readPreset[OpticalFlowPreset],
}

func readPreset[P Preset](data []byte) (Preset, error) {
	var p P
	err := json.Unmarshal(data, &p)
	return p.WithDefaults(), err
}

// A ClassificationPreset is torchvision's ImageClassification: resize the short side,
// crop the center, scale to [0, 1], then subtract Mean and divide by Std.
type ClassificationPreset struct {
	Resize        int       `json:"resize_size"`   // of the short side, in pixels; 0 means 256
	Crop          int       `json:"crop_size"`     // of both sides, in pixels
	Interpolation string    `json:"interpolation"` // with antialias; "" means "bilinear"
	Mean          []float64 `json:"mean"`          // nil means ImageNet's
	Std           []float64 `json:"std"`           // nil means ImageNet's
}

// A SegmentationPreset is torchvision's SemanticSegmentation: resize the short side,
// scale to [0, 1], then subtract Mean and divide by Std.
type SegmentationPreset struct {
	Resize        int       `json:"resize_size,omitempty"` // of the short side, in pixels; 0 leaves the size
	Interpolation string    `json:"interpolation"`         // with antialias; "" means "bilinear"
	Mean          []float64 `json:"mean"`                  // nil means ImageNet's
	Std           []float64 `json:"std"`                   // nil means ImageNet's
}

// A DetectionPreset is torchvision's ObjectDetection: scale to [0, 1]. The models resize and normalize.
type DetectionPreset struct{}

// A VideoClassificationPreset is torchvision's VideoClassification: resize the frames,
// crop their center, scale to [0, 1], then subtract Mean and divide by Std.
type VideoClassificationPreset struct {
	Resize        []int     `json:"resize_size"`   // the short side, or height and width, in pixels
	Crop          []int     `json:"crop_size"`     // height and width, in pixels
	Interpolation string    `json:"interpolation"` // without antialias; "" means "bilinear"
	Mean          []float64 `json:"mean"`          // nil means that of Kinetics-400
	Std           []float64 `json:"std"`           // nil means that of Kinetics-400
}

// An OpticalFlowPreset is torchvision's OpticalFlow: scale both pictures to [-1, 1].
type OpticalFlowPreset struct{}

// Task returns [Classification].
func (ClassificationPreset) Task() Task { return Classification }

// Task returns [Segmentation].
func (SegmentationPreset) Task() Task { return Segmentation }

// Task returns [Detection].
func (DetectionPreset) Task() Task { return Detection }

// Task returns [VideoClassification].
func (VideoClassificationPreset) Task() Task { return VideoClassification }

// Task returns [OpticalFlow].
func (OpticalFlowPreset) Task() Task { return OpticalFlow }

// WithDefaults returns the preset with torchvision's defaults in place of zeros.
func (p ClassificationPreset) WithDefaults() Preset {
	p.Resize = cmp.Or(p.Resize, 256)
	p.Interpolation, p.Mean, p.Std = orImageNet(p.Interpolation, p.Mean, p.Std)
	return p
}

// WithDefaults returns the preset with torchvision's defaults in place of zeros.
func (p SegmentationPreset) WithDefaults() Preset {
	p.Interpolation, p.Mean, p.Std = orImageNet(p.Interpolation, p.Mean, p.Std)
	return p
}

// WithDefaults returns the preset, which has no numbers.
func (p DetectionPreset) WithDefaults() Preset { return p }

// WithDefaults returns the preset with torchvision's defaults in place of zeros.
func (p VideoClassificationPreset) WithDefaults() Preset {
	p.Interpolation = cmp.Or(p.Interpolation, "bilinear")
	if p.Mean == nil {
		p.Mean = []float64{0.43216, 0.394666, 0.37645}
	}
	if p.Std == nil {
		p.Std = []float64{0.22803, 0.22145, 0.216989}
	}
	return p
}

// WithDefaults returns the preset, which has no numbers.
func (p OpticalFlowPreset) WithDefaults() Preset { return p }

// orImageNet returns torchvision's usual numbers in place of missing ones.
func orImageNet(interpolation string, mean, std []float64) (string, []float64, []float64) {
	if mean == nil {
		mean = []float64{0.485, 0.456, 0.406}
	}
	if std == nil {
		std = []float64{0.229, 0.224, 0.225}
	}
	return cmp.Or(interpolation, "bilinear"), mean, std
}

// String describes the preset in a line.
func (p ClassificationPreset) String() string {
	return fmt.Sprintf("resize %d (%s), crop %d, mean %v, std %v", p.Resize, p.Interpolation, p.Crop, p.Mean, p.Std)
}

// String describes the preset in a line.
func (p SegmentationPreset) String() string {
	if p.Resize == 0 {
		return fmt.Sprintf("mean %v, std %v", p.Mean, p.Std)
	}
	return fmt.Sprintf("resize %d (%s), mean %v, std %v", p.Resize, p.Interpolation, p.Mean, p.Std)
}

// String describes the preset in a line.
func (DetectionPreset) String() string { return "scale to [0, 1]" }

// String describes the preset in a line.
func (p VideoClassificationPreset) String() string {
	return fmt.Sprintf("resize %v (%s), crop %v, mean %v, std %v", p.Resize, p.Interpolation, p.Crop, p.Mean, p.Std)
}

// String describes the preset in a line.
func (OpticalFlowPreset) String() string { return "scale to [-1, 1]" }
