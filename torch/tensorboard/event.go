package tensorboard

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// An event is a record of the file: Event of TensorFlow's event.proto, as far as it is written here.
//
// https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/event.proto
type event struct {
	wallTime    float64 // seconds since 1970
	step        int
	fileVersion string
	start       bool    // a SessionLog that says that the run starts, at step
	summary     summary // nil for none
}

// A summary is a Summary.Value of summary.proto, without its number: an image, a histogram and the like.
//
// https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/summary.proto
type summary interface {
	append(value []byte) []byte // the fields of the value
}

func (e event) encode() []byte {
	b := appendDouble(nil, 1, e.wallTime)
	if e.step != 0 {
		b = appendInt(b, 2, e.step)
	}
	if e.fileVersion != "" {
		b = appendBytes(b, 3, e.fileVersion)
	}
	if e.summary != nil {
		b = appendBytes(b, 5, appendBytes(nil, 1, e.summary.append(nil)))
	}
	if e.start {
		b = appendBytes(b, 7, appendInt(nil, 1, 1)) // SessionLog.status = START
	}
	return b
}

func appendInt(b []byte, field protowire.Number, v int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

func appendDouble(b []byte, field protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), math.Float64bits(v))
}

func appendBytes[B string | []byte](b []byte, field protowire.Number, v B) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), []byte(v))
}

func appendDoubles(b []byte, field protowire.Number, vs []float64) []byte {
	var packed []byte
	for _, v := range vs {
		packed = protowire.AppendFixed64(packed, math.Float64bits(v))
	}
	return appendBytes(b, field, packed)
}

type scalar struct {
	tag   string
	value float64
}

func (s scalar) append(b []byte) []byte {
	b = appendBytes(b, 1, s.tag)
	return protowire.AppendFixed32(protowire.AppendTag(b, 2, protowire.Fixed32Type), math.Float32bits(float32(s.value)))
}

type picture struct {
	tag                   string
	height, width, colors int
	png                   []byte
}

func (p picture) append(b []byte) []byte {
	image := appendInt(appendInt(appendInt(nil, 1, p.height), 2, p.width), 3, p.colors)
	return appendBytes(appendBytes(b, 1, p.tag), 4, appendBytes(image, 4, p.png))
}

type text struct{ tag, text string }

func (t text) append(b []byte) []byte {
	const dtString, oneRow = 7, 1
	shape := appendBytes(nil, 2, appendInt(nil, 1, oneRow))
	tensor := appendBytes(appendBytes(appendInt(nil, 1, dtString), 2, shape), 8, t.text)
	return plugin{tag: t.tag + "/text_summary", name: "text", tensor: tensor}.append(b)
}

// A plugin is a value for one of TensorBoard's plugins, in messages of its own.
type plugin struct {
	tag, name string
	content   []byte // of the plugin
	tensor    []byte // a TensorProto; nil for none
}

func (p plugin) append(b []byte) []byte {
	data := appendBytes(nil, 1, p.name)
	if p.content != nil {
		data = appendBytes(data, 2, p.content)
	}
	b = appendBytes(b, 1, p.tag)
	if p.tensor != nil {
		b = appendBytes(b, 8, p.tensor)
	}
	return appendBytes(b, 9, appendBytes(nil, 1, data))
}

type histogram struct {
	tag                   string
	min, max, sum, square float64 // square is the sum of the squares
	n                     int
	limits, counts        []float64
}

func (h histogram) append(b []byte) []byte {
	histo := appendDouble(appendDouble(appendDouble(nil, 1, h.min), 2, h.max), 3, float64(h.n))
	histo = appendDouble(appendDouble(histo, 4, h.sum), 5, h.square)
	histo = appendDoubles(appendDoubles(histo, 6, h.limits), 7, h.counts)
	return appendBytes(appendBytes(b, 1, h.tag), 5, histo)
}
