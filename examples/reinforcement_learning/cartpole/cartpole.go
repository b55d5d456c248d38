// Package cartpole is the environment CartPole-v1 of gymnasium: a pole stands on a cart, which is pushed to the left or to
// the right so that the pole does not fall. States and rewards are those of gymnasium after the same seed.
//
// https://gymnasium.farama.org/environments/classic_control/cart_pole
package cartpole

import "math"

// RewardThreshold is the mean reward of an episode from which on the task counts as solved.
const RewardThreshold = 475

// maxSteps is the length at which episodes are cut off.
const maxSteps = 500

const (
	gravity        = 9.8
	massCart       = 1.0
	massPole       = 0.1
	totalMass      = massPole + massCart
	length         = 0.5 // half of the pole's
	poleMassLength = massPole * length
	forceMag       = 10.0
	tau            = 0.02 // seconds between states

	thetaThreshold = 12 * 2 * math.Pi / 360
	xThreshold     = 2.4
)

// An Env is a cart with a pole.
type Env struct {
	rng                      pcg64
	x, xDot, theta, thetaDot float64
	steps                    int
}

// New returns an environment that has been reset: env = gymnasium.make("CartPole-v1"); env.reset(seed=seed).
func New(seed uint32) *Env {
	e := &Env{rng: newPCG64(seed)}
	e.Reset()
	return e
}

// Reset begins an episode near the upright position and returns the state: env.reset()[0].
func (e *Env) Reset() []float32 {
	for _, v := range []*float64{&e.x, &e.xDot, &e.theta, &e.thetaDot} {
		*v = -0.05 + (0.05 - -0.05)*e.rng.float64()
	}
	e.steps = 0
	return e.state()
}

// state returns the position of the cart, its velocity, the angle of the pole and its velocity.
func (e *Env) state() []float32 {
	return []float32{float32(e.x), float32(e.xDot), float32(e.theta), float32(e.thetaDot)}
}

// Step pushes the cart to the left if action is 0, and to the right if it is 1: env.step(action). The
// episode ends if it is terminated, since the pole has fallen or the cart is far away, or truncated after 500 steps.
func (e *Env) Step(action int) (state []float32, reward float64, terminated, truncated bool) {
	force := -forceMag
	if action == 1 {
		force = forceMag
	}
	sin, cos := math.Sincos(e.theta)
	// The conversions keep the compiler from fusing products with sums.
	temp := (force + float64(poleMassLength*e.thetaDot*e.thetaDot*sin)) / totalMass
	thetaAcc := (float64(gravity*sin) - float64(cos*temp)) / (length * (4.0/3.0 - float64(massPole*float64(cos*cos)/totalMass)))
	xAcc := temp - float64(poleMassLength*thetaAcc*cos/totalMass)

	e.x += float64(tau * e.xDot)
	e.xDot += float64(tau * xAcc)
	e.theta += float64(tau * e.thetaDot)
	e.thetaDot += float64(tau * thetaAcc)
	e.steps++
	terminated = math.Abs(e.x) > xThreshold || math.Abs(e.theta) > thetaThreshold
	return e.state(), 1, terminated, e.steps >= maxSteps
}
