package kernels

import "slices"

// A loop is a range of instructions that are computed for one image of a batch after the other: what an image of a layer leaves is
// still in the cache when the next layer reads it, and the threads need not wait for each other after each layer.
type loop struct{ from, to, turns int }

// large is how many floats of an image are enough to compute it alone at no cost, and how many of a weight still stay in the cache from
// one image to the next.
const large = 16 << 10

// findLoops returns the loops of a program, and makes the values local that only the instructions of a loop need: those have an image
// for each group of threads.
func findLoops(instructions []Instruction, images []image, large int64) []loop {
	var loops []loop
	var l loop
	var most int64 // floats of an instruction of l
	end := func() {
		for l.to > l.from && data(instructions[l.to-1], images) < large {
			l.to--
		}
		if l.to-l.from > 1 && most*int64(l.turns) >= 32*large { // which does not stay in the cache
			loops = append(loops, l)
		}
		l, most = loop{}, 0
	}
	for i, in := range instructions {
		n := turns(in, images)
		if n != l.turns {
			end()
		}
		if n <= 1 {
			continue
		}
		switch d := data(in, images); {
		case weight(in) > max(d, large): // it is read for all images at once
			end()
		case l.turns == 0 && d < large:
		default:
			if l.turns == 0 {
				l = loop{i, i, n}
			}
			l.to = i + 1
			most = max(most, d)
		}
	}
	end()
	in := make([]int, len(instructions)) // the loop of each, from 1 on
	for k, l := range loops {
		for i := l.from; i < l.to; i++ {
			in[i] = k + 1
		}
	}
	written := make([]int, len(images)) // the loop that writes each; 0 if one that does not reads it
	for i, ins := range instructions {
		if ins.Kind != write {
			written[ins.Out] = in[i]
		}
	}
	for i, ins := range instructions {
		for _, v := range ins.In {
			if written[v] != in[i] {
				written[v] = 0
			}
		}
	}
	for i := range images {
		if written[i] > 0 {
			images[i].local, images[i].N = true, 1
		}
	}
	return loops
}

// turns returns how many images an instruction computes alike, each of the same image of its inputs; 0 if it is not of such a kind.
func turns(in Instruction, images []image) int {
	switch in.Kind {
	case Gather, Attention, ConcatPixels, Const, write:
		return 0
	}
	n := images[in.Out].N
	for _, v := range append(slices.Clone(in.In), in.Out) {
		if images[v].halves || images[v].N != n && images[v].N != 1 {
			return 0
		}
	}
	if len(in.In) > 64 { // as in plan.cpp
		return 0
	}
	return n
}

// data returns the floats of one image of what an instruction reads and writes.
func data(in Instruction, images []image) int64 {
	var n int64
	for _, v := range append(slices.Clone(in.In), in.Out) {
		n += images[v].size() / int64(images[v].N)
	}
	return n
}

func weight(in Instruction) int64 {
	if in.Weight == nil {
		return 0
	}
	return int64(in.Weight.Numel())
}
