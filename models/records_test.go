package models_test

import (
	"os"
	"os/exec"
	"path"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
)

// TestWeightsFile generates the file again.
func TestWeightsFile(t *testing.T) {
	python := os.Getenv(reference.Variable)
	if python == "" {
		t.Skip("no reference")
	}
	out, err := exec.Command(python, "../testdata/gen/records.py").Output()
	require.NoError(t, err)
	want, err := os.ReadFile("weights.json")
	require.NoError(t, err)
	require.Equal(t, string(want), string(out), "run testdata/gen/records.py")
}

func TestRecords(t *testing.T) {
	for classes, want := range map[models.Classes][]string{
		models.ImageNet: {"tench", "toilet tissue"}, models.VOC: {"__background__", "tvmonitor"}, models.COCO: {"__background__", "toothbrush"},
		models.COCOPerson: {"no person", "person"}, models.Kinetics400: {"abseiling", "zumba"},
	} {
		all := classes.Labels()
		require.Equal(t, want, []string{all[0], all[len(all)-1]})
	}
	require.Equal(t, "N/A", models.COCO.Labels()[12])

	entry := entryOf(t, "resnet50")
	for name, want := range map[string]string{
		"IMAGENET1K_V1": "IMAGENET1K_V1", "ResNet50_Weights.IMAGENET1K_V1": "IMAGENET1K_V1", "DEFAULT": "IMAGENET1K_V2",
		"ResNet50_Weights.DEFAULT": "IMAGENET1K_V2", "pretrained": "IMAGENET1K_V1",
	} {
		w, err := entry.Find(name)
		require.NoError(t, err)
		require.Equal(t, want, w.Name)
	}
	for _, name := range []string{"ResNet18_Weights.IMAGENET1K_V1", "", "default", "."} {
		_, err := entry.Find(name)
		require.ErrorContains(t, err, "there are DEFAULT, IMAGENET1K_V1, IMAGENET1K_V2")
	}
	// Of a model that is not registered here.
	w, err := models.WeightsOf("quantized_resnet50")
	require.NoError(t, err)
	require.Equal(t, []string{"fbgemm", "fbgemm"}, []string{w[0].Backend, w[1].Backend})
	require.Equal(t, "ResNet50_Weights.IMAGENET1K_V2", w[1].Unquantized)
	require.Equal(t, []bool{true, false}, []bool{w[0].NoHash, w[1].NoHash})
	_, err = models.WeightsOf("resnet_50")
	require.ErrorContains(t, err, "did you mean resnet50")

	w, err = models.WeightsOf("keypointrcnn_resnet50_fpn")
	require.NoError(t, err)
	require.Len(t, w[0].Keypoints, 17)
	w, err = models.WeightsOf("mvit_v1_b")
	require.NoError(t, err)
	require.Equal(t, []int{224, 224, 16}, append(w[0].MinSize[:], w[0].MinFrames))
	w, err = models.WeightsOf("vit_h_14")
	require.NoError(t, err)
	require.Equal(t, "CC-BY-NC 4.0, https://github.com/facebookresearch/SWAG/blob/main/LICENSE", w[0].License)
}

func entryOf(t *testing.T, name string) *models.Entry {
	e, err := models.Lookup(name)
	require.NoError(t, err)
	return e
}

// TestHashes checks that all files but four can be verified.
func TestHashes(t *testing.T) {
	hashed := regexp.MustCompile(`-[0-9a-f]{8,}\.pth$`)
	without := 0
	for _, name := range models.Names() {
		for _, w := range entryOf(t, name).Weights {
			if w.NoHash {
				without++
			}
			require.Equal(t, !w.NoHash, hashed.MatchString(path.Base(w.URL)), w.URL)
		}
	}
	require.LessOrEqual(t, without, 4)
}
