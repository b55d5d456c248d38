// Package builtin is a small model and a picture for it, inside the binary: what
// "torchhub predict" runs where nothing else is named, so that a first use needs
// no weights from the network. CARD.md describes its quality.
package builtin

import (
	_ "embed"
	"strings"

	"github.com/torchhub/torchhub/models"
)

var (
	//go:embed model.pt
	model []byte
	//go:embed picture.png
	picture []byte
	//go:embed labels.txt
	labels string
	//go:embed CARD.md
	card string
)

// Model returns the TorchScript archive of the model, which maps pictures
// [N, 3, 40, 40] to logits [N, 36]. It must not be changed.
func Model() []byte { return model }

// Picture returns a PNG for the model: a letter G. It must not be changed.
func Picture() []byte { return picture }

// Labels returns the names of the model's classes: "letter A" to "digit 9".
func Labels() []string { return strings.Split(strings.TrimSpace(labels), "\n") }

// Preset returns how pictures are prepared for the model.
func Preset() models.ClassificationPreset {
	return models.ClassificationPreset{Resize: 40, Crop: 40, Interpolation: "bilinear",
		Mean: []float64{0.5, 0.5, 0.5}, Std: []float64{0.25, 0.25, 0.25}}
}

// Card returns the model card, in Markdown: what the model is for, how it was
// made, and its accuracy on pictures that it was not trained on.
func Card() string { return card }
