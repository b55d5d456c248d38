package optim

import "github.com/torchhub/torchhub/torch"

// A wolfe is a line search for a point that satisfies the strong Wolfe conditions.
type wolfe struct {
	l         *lbfgs
	loss      float64 // at the beginning of the line, with grad and slope
	grad      *torch.Tensor
	slope     num
	tolerance num // the change of parameters below which the search ends
	most      int // iterations

	start []*torch.Tensor // the parameters at the beginning
	evals int
}

// A point of the line.
type point struct {
	t     num
	loss  float64
	grad  *torch.Tensor
	slope num
}

const (
	armijo    = 1e-4
	curvature = 0.9
)

// search returns the loss and the gradient at the point that it finds, its length, and
// the number of evaluations. The parameters stay where they are.
func (w *wolfe) search(t num) (loss float64, grad *torch.Tensor, length num, evals int) {
	for _, p := range w.l.params {
		w.start = append(w.start, p.Clone())
	}
	defer func() { free(w.start) }()
	bracket, done, n := w.bracket(t)
	low, high := 0, 1
	if !(bracket[0].loss <= bracket[len(bracket)-1].loss) {
		low, high = 1, 0
	}
	width := largest(w.l.direction)
	stuck := false
	for ; !done && n < w.most; n++ {
		if bracket[1].t.sub(bracket[0].t).abs().mul(width).less(w.tolerance) {
			break
		}
		t, stuck = w.trial(bracket, stuck)
		at := w.at(t)
		if w.rises(at) || at.loss >= bracket[low].loss {
			bracket[high] = at
			low, high = 0, 1
			if !(bracket[0].loss <= bracket[1].loss) {
				low, high = 1, 0
			}
			continue
		}
		switch {
		case w.flat(at):
			done = true
		case float(0).lessEqual(at.slope.mul(bracket[high].t.sub(bracket[low].t))):
			bracket[high] = bracket[low]
		}
		bracket[low] = at
	}
	found := bracket[low]
	return found.loss, found.grad, found.t, w.evals
}

// bracket returns two points between which there is one that satisfies the conditions, or
// one that does, and the number of iterations.
func (w *wolfe) bracket(t num) (points []point, done bool, n int) {
	prev := point{float(0), w.loss, w.grad, w.slope}
	at := w.at(t)
	for ; n < w.most; n++ {
		switch {
		case w.rises(at) || n > 1 && at.loss >= prev.loss:
			return []point{prev, at}, false, n
		case w.flat(at):
			return []point{at}, true, n
		case float(0).lessEqual(at.slope):
			return []point{prev, at}, false, n
		}
		lowest, highest := at.t.add(float(0.01).mul(at.t.sub(prev.t))), at.t.mul(float(10))
		next := cubic(prev, at, lowest, highest)
		prev, at = at, w.at(next)
	}
	return []point{{float(0), w.loss, w.grad, w.slope}, at}, false, n
}

// at evaluates the loss at a point of the line.
func (w *wolfe) at(t num) point {
	w.l.move(t)
	loss := w.l.signed(w.l.closure())
	grad := w.l.gradient()
	for i, p := range w.l.params {
		p.CopyInPlace(w.start[i])
	}
	w.evals++
	return point{t, loss, grad, dot(grad, w.l.direction)}
}

// rises reports whether the loss does not fall enough.
func (w *wolfe) rises(p point) bool {
	return float(w.loss).add(float(armijo).mul(p.t).mul(w.slope)).less(float(p.loss))
}

// flat reports whether the slope is small enough.
func (w *wolfe) flat(p point) bool {
	return p.slope.abs().lessEqual(float(-curvature).mul(w.slope))
}

// trial returns the next length within a bracket, away from its ends if the last one was
// close to one of them.
func (w *wolfe) trial(bracket []point, stuck bool) (t num, nowStuck bool) {
	a, b := bracket[0], bracket[1]
	lowest, highest := a.t, b.t
	if !a.t.lessEqual(b.t) {
		lowest, highest = b.t, a.t
	}
	t = cubic(a, b, lowest, highest)
	least, most := minNum(a.t, b.t), maxNum(a.t, b.t)
	margin := float(0.1).mul(most.sub(least))
	if !minNum(most.sub(t), t.sub(least)).less(margin) {
		return t, false
	}
	if !stuck && !most.lessEqual(t) && !t.lessEqual(least) {
		return t, true
	}
	if t.sub(most).abs().less(t.sub(least).abs()) {
		return most.sub(margin), false
	}
	return least.add(margin), false
}

// cubic returns where a cubic with the losses and slopes of two points is smallest,
// between two bounds.
func cubic(a, b point, lowest, highest num) num {
	d1 := a.slope.add(b.slope).sub(float(3 * (a.loss - b.loss)).div(a.t.sub(b.t)))
	square := d1.mul(d1).sub(a.slope.mul(b.slope))
	if !float(0).lessEqual(square) {
		return lowest.add(highest).div(float(2))
	}
	d2 := square.sqrt()
	x, y := a, b
	if !a.t.lessEqual(b.t) {
		x, y = b, a
	}
	part := y.slope.add(d2).sub(d1).div(y.slope.sub(x.slope).add(float(2).mul(d2)))
	at := y.t.sub(y.t.sub(x.t).mul(part))
	return minNum(maxNum(at, lowest), highest)
}
