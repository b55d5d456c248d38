package train

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/torchhub/torchhub/internal/atomicfile"
	"github.com/torchhub/torchhub/internal/oserror"
)

// A Logger keeps points of curves. [Log] is one, and so is tensorboard.SummaryWriter.
type Logger interface {
	AddScalar(tag string, value float64, step int) error
}

// A Scalar is a point of a curve in a [Log].
type Scalar struct {
	Time  time.Time // to the microsecond
	Step  int
	Tag   string
	Value float64
}

// A Log is a file with a line for each point of a curve: CSV or JSON, by the end of its name, .csv or .jsonl. Each line is
// written at once.
//
//	wall_time,step,tag,value
//	1764381600.25,0,loss,2.3125
//
//	{"wall_time":1764381600.25,"step":0,"tag":"loss","value":2.3125}
//
// In JSON a value that is not finite is one of the strings "NaN", "+Inf" and "-Inf".
type Log struct {
	f      *os.File
	encode func(Scalar) ([]byte, error)
}

// A format is a kind of file of a [Log].
type format struct {
	head   string
	encode func(Scalar) ([]byte, error)
	read   func(io.Reader) ([]Scalar, error)
}

var formats = map[string]format{
	".csv":   {"wall_time,step,tag,value\n", encodeCSV, readCSV},
	".jsonl": {"", encodeJSON, readJSON},
}

func formatOf(path string) (format, error) {
	f, ok := formats[filepath.Ext(path)]
	if !ok {
		return f, fmt.Errorf("train: the log %s is neither .csv nor .jsonl; name it so", path)
	}
	return f, nil
}

// NewLog begins a log, in place of a file of that name.
func NewLog(path string) (*Log, error) { return newLog(path, nil) }

// ResumeLog goes on with a log after a step: later points, which a program wrote before it was stopped and will write
// again, are removed, and so is a line that is not complete. If there is no file, it begins one.
func ResumeLog(path string, step int) (*Log, error) {
	points, err := ReadLog(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var kept []Scalar
	for _, s := range points {
		if s.Step <= step {
			kept = append(kept, s)
		}
	}
	return newLog(path, kept)
}

func newLog(path string, points []Scalar) (*Log, error) {
	f, err := formatOf(path)
	if err != nil {
		return nil, err
	}
	l := &Log{encode: f.encode}
	err = atomicfile.Write(path, func(w io.Writer) error {
		b := bufio.NewWriter(w)
		b.WriteString(f.head) // its errors come back from Flush
		for _, s := range points {
			line, err := f.encode(s)
			if err != nil {
				return err
			}
			b.Write(line)
		}
		return b.Flush()
	})
	if err == nil {
		l.f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("train: the log %s cannot be written: %w", path, oserror.Cause(err))
	}
	return l, nil
}

// AddScalar writes a point of a curve.
func (l *Log) AddScalar(tag string, value float64, step int) error {
	line, err := l.encode(Scalar{time.Now(), step, tag, value})
	if err == nil {
		_, err = l.f.Write(line)
	}
	if err != nil {
		return fmt.Errorf("train: the log %s cannot be written: %w", l.f.Name(), oserror.Cause(err))
	}
	return nil
}

// Close ends the log.
func (l *Log) Close() error { return l.f.Close() }

// ReadLog reads the points of a log, of which the last line may be incomplete, as a crash leaves it.
func ReadLog(path string) ([]Scalar, error) {
	format, err := formatOf(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("train: the log %s cannot be read: %w", path, oserror.Cause(err))
	}
	defer f.Close()
	points, err := format.read(f)
	if err != nil {
		return nil, fmt.Errorf("train: the log %s: %w", path, err)
	}
	return points, nil
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

func timeOf(seconds float64) time.Time { return time.UnixMicro(int64(math.Round(seconds * 1e6))) }

func encodeCSV(s Scalar) ([]byte, error) {
	var line bytes.Buffer
	w := csv.NewWriter(&line)
	err := w.Write([]string{strconv.FormatFloat(seconds(s.Time), 'f', -1, 64), strconv.Itoa(s.Step), s.Tag, strconv.FormatFloat(s.Value, 'g', -1, 64)})
	w.Flush()
	return line.Bytes(), errors.Join(err, w.Error())
}

func readCSV(r io.Reader) (points []Scalar, err error) {
	whole, err := completeLines(r)
	if err != nil {
		return nil, err
	}
	rows := csv.NewReader(whole)
	rows.FieldsPerRecord = 4
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return points, nil
		}
		if err != nil {
			return nil, err
		}
		if len(points) == 0 && row[0] == "wall_time" {
			continue
		}
		at, err1 := strconv.ParseFloat(row[0], 64)
		step, err2 := strconv.Atoi(row[1])
		value, err3 := strconv.ParseFloat(row[3], 64)
		if err := errors.Join(err1, err2, err3); err != nil {
			line, _ := rows.FieldPos(0)
			return nil, fmt.Errorf("line %d is no point of a curve", line)
		}
		points = append(points, Scalar{timeOf(at), step, row[2], value})
	}
}

// A point is a line of a JSON log.
type point struct {
	WallTime float64 `json:"wall_time"`
	Step     int     `json:"step"`
	Tag      string  `json:"tag"`
	Value    any     `json:"value"` // a number, or the name of one that JSON lacks
}

func encodeJSON(s Scalar) ([]byte, error) {
	p := point{seconds(s.Time), s.Step, s.Tag, s.Value}
	if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
		p.Value = strconv.FormatFloat(s.Value, 'g', -1, 64)
	}
	line, err := json.Marshal(p)
	return append(line, '\n'), err
}

func readJSON(r io.Reader) (points []Scalar, err error) {
	whole, err := completeLines(r)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(whole)
	for n := 1; lines.Scan(); n++ {
		var p point
		err := json.Unmarshal(lines.Bytes(), &p)
		value, ok := p.Value.(float64)
		if text, isText := p.Value.(string); isText && err == nil {
			value, err = strconv.ParseFloat(text, 64)
			ok = true
		}
		if err != nil || !ok {
			return nil, fmt.Errorf("line %d is no point of a curve", n)
		}
		points = append(points, Scalar{timeOf(p.WallTime), p.Step, p.Tag, value})
	}
	return points, lines.Err()
}

// completeLines returns what r has up to the end of its last complete line.
func completeLines(r io.Reader) (io.Reader, error) {
	all, err := io.ReadAll(r)
	return bytes.NewReader(all[:bytes.LastIndexByte(all, '\n')+1]), err
}
