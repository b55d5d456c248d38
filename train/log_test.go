package train_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch/tensorboard"
	"github.com/torchhub/torchhub/train"
)

var (
	_ train.Logger = (*train.Log)(nil)
	_ train.Logger = (*tensorboard.SummaryWriter)(nil)
)

func TestLog(t *testing.T) {
	for _, ext := range []string{".csv", ".jsonl"} {
		t.Run(ext, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log"+ext)
			_, err := train.ReadLog(path)
			require.ErrorIs(t, err, os.ErrNotExist)

			l, err := train.ResumeLog(path, 5) // of nothing
			require.NoError(t, err)
			want := []train.Scalar{{Step: 0, Tag: "loss", Value: 0.1}, {Step: 1, Tag: `a "tag", with all` + "\nü", Value: -1e300}, {Step: 2, Tag: "loss", Value: math.Inf(1)},
				{Step: 2, Tag: "loss", Value: math.Inf(-1)}, {Step: 3, Tag: "", Value: 5e-324}, {Step: 4, Tag: "loss", Value: 3}}
			for _, s := range want {
				require.NoError(t, l.AddScalar(s.Tag, s.Value, s.Step))
			}
			require.NoError(t, l.AddScalar("nan", math.NaN(), 4))
			require.NoError(t, l.Close())
			read := func() (points []train.Scalar) {
				points, err := train.ReadLog(path)
				require.NoError(t, err)
				for i := range points {
					require.WithinDuration(t, time.Now(), points[i].Time, time.Minute)
					points[i].Time = time.Time{}
				}
				return points
			}
			got := read()
			require.Equal(t, want, got[:len(got)-1])
			require.True(t, math.IsNaN(got[len(got)-1].Value))

			// A crash has left half a line.
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = f.WriteString(`{"wall_t`)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			l, err = train.ResumeLog(path, 2)
			require.NoError(t, err)
			require.NoError(t, l.AddScalar("loss", 7, 3))
			require.NoError(t, l.Close())
			require.Equal(t, append(want[:4:4], train.Scalar{Step: 3, Tag: "loss", Value: 7}), read())

			l, err = train.NewLog(path)
			require.NoError(t, err)
			require.NoError(t, l.Close())
			require.Empty(t, read())

			require.NoError(t, os.WriteFile(path, []byte("1,2,loss,many\n"), 0o666))
			_, err = train.ReadLog(path)
			require.ErrorContains(t, err, "line 1 is no point of a curve")
		})
	}
	_, err := train.NewLog("log.txt")
	require.ErrorContains(t, err, "the log log.txt is neither .csv nor .jsonl")
	_, err = train.NewLog(filepath.Join(t.TempDir(), "none", "log.csv"))
	require.ErrorContains(t, err, "cannot be written: no such file")
}

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := train.NewProgress("epoch\x1b 1", 8, train.ProgressOptions{Writer: &out})
	p.Add(4, 2)
	p.Add(4, 0.25)
	p.Close()
	require.Regexp(t, `^epoch\\u001b 1: 8 samples in \d+\.\d s, [\d.]+/s, last loss 0\.2500\n$`, out.String())
}
