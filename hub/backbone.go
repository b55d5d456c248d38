package hub

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
)

// WithWeightsBackbone builds a model for training: its backbone has weights of another model, and its other tensors are
// new and random, as [torch.ManualSeed] has it:
//
//	models.get_model("ssd300_vgg16", weights_backbone="IMAGENET1K_FEATURES", num_classes=3)
//
// is
//
//	hub.Load(ctx, "pytorch/vision", "ssd300_vgg16", hub.WithWeightsBackbone("IMAGENET1K_FEATURES"), hub.WithNumClasses(3))
//
// The weights are some of the other model, such as "DEFAULT" or "VGG16_Weights.IMAGENET1K_V1", or the path or
// URL of a checkpoint of it; "" means those that torchvision takes by default. As in torchvision, the first layers of
// the backbone of a model for detection are then frozen, and so are its batch normalizations. torchvision's models for
// detection and segmentation have a backbone.
//
// https://docs.pytorch.org/vision/stable/models.html#object-detection
func WithWeightsBackbone(weights string) Option {
	return func(o *options) { o.weightsBackbone = &weights }
}

// loadOnBackbone makes the model of an entry whose backbone alone has weights.
func (l *loader) loadOnBackbone(ctx context.Context, name string, e *Entry) (*Model, error) {
	switch {
	case e.backbone == nil:
		return nil, errors.New("the model has no backbone that can start from weights of another model; leave out the weights of the backbone")
	case l.weights != "":
		return nil, errors.New("weights of the model and of its backbone are given; give one of them")
	}
	s, err := l.backboneState(ctx, e.backbone)
	if err != nil {
		return nil, err
	}
	defer s.Free()
	configure := func(arguments []byte) (func() any, error) { return e.backbone.Configure(s, arguments) }
	var given json.RawMessage
	if l.arguments != nil {
		given = json.RawMessage(*l.arguments)
	}
	build, err := configure(given)
	if err == nil && l.numClasses != nil {
		build, given, err = withClasses(configure, given)(*l.numClasses)
	}
	if err != nil {
		return nil, ofArguments(err)
	}
	a := &e.Artifacts[0]
	m := &Model{name: name, steps: cmp.Or(a.Preprocess, e.Preprocess), keypoints: a.points}
	if err := torch.Try(func() { m.module = build() }); err != nil {
		return nil, err
	}
	l.say("torchhub: %s has weights of %s in its backbone; its other tensors are new, and to be trained", name, e.backbone.Model)
	var classes struct {
		N *int `json:"num_classes"`
	}
	if len(given) == 0 || json.Unmarshal(given, &classes) == nil && classes.N == nil {
		if m.labels, err = l.labels(ctx, e.Labels, place{}); err != nil {
			return nil, err
		}
	}
	if m, err = l.start(m); err != nil {
		return nil, err
	}
	return l.nameClasses(ctx, m, false)
}

// backboneState returns the weights of the model that a backbone is a part of.
func (l *loader) backboneState(ctx context.Context, b *models.Backbone) (torch.StateDict, error) {
	base, err := models.Lookup(b.Model)
	if err != nil {
		return nil, err
	}
	other, from := published(base), *l
	from.weights = cmp.Or(*l.weightsBackbone, b.Weights)
	a, file, err := from.choose(ctx, &other, place{})
	if err == nil && file == "" {
		l.sayLicense(base.Name, other.license(a))
		file, err = l.artifact(ctx, place{}, a)
	}
	if err == nil {
		err = initialize(ctx, l.device)
	}
	if err != nil {
		return nil, err
	}
	return l.readStateDict(ctx, file)
}
