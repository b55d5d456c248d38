package hub

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
)

// TestArgumentsOfPublished gives arguments to a model whose published weights are of another one than Build makes.
func TestArgumentsOfPublished(t *testing.T) {
	me, err := models.Lookup("googlenet")
	require.NoError(t, err)
	e := published(me)
	for _, c := range []struct {
		arguments         *string
		given, transforms bool
	}{
		{nil, false, true},
		{new(`{"dropout": 0.1}`), false, true},
		{new(`{"dropout": 0.1, "transform_input": false}`), false, false},
		{nil, true, false},
		{new(`{"dropout": 0.1}`), true, false},
	} {
		l := &loader{options{arguments: c.arguments}}
		target, err := l.target("googlenet", &e, &e.Artifacts[0], c.given)
		require.NoError(t, err)
		m, err := meta(target.build)
		require.NoError(t, err)
		require.Equal(t, c.transforms, reflect.ValueOf(m).Elem().FieldByName("TransformInput").Bool(), c)
	}
	me, err = models.Lookup("quantized_resnet18")
	require.NoError(t, err)
	e = published(me)
	_, err = (&loader{options{arguments: new(`{"width_per_group": 3}`)}}).target("quantized_resnet18", &e, &e.Artifacts[0], false)
	require.ErrorContains(t, err, `there is no argument "width_per_group"; there is num_classes`)
}
