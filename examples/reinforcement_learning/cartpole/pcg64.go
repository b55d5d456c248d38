package cartpole

import "math/bits"

// A pcg64 is NumPy's default generator, of numpy.random.default_rng(seed): PCG XSL RR 128/64 of
// https://www.pcg-random.org, seeded by numpy.random.SeedSequence.
type pcg64 struct{ state, inc uint128 }

type uint128 struct{ hi, lo uint64 }

func (a uint128) add(b uint128) uint128 {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, _ := bits.Add64(a.hi, b.hi, carry)
	return uint128{hi, lo}
}

func (a uint128) mul(b uint128) uint128 {
	hi, lo := bits.Mul64(a.lo, b.lo)
	return uint128{hi + a.hi*b.lo + a.lo*b.hi, lo}
}

func newPCG64(seed uint32) pcg64 {
	s := seedSequence(seed)
	inc := uint128{s[2]<<1 | s[3]>>63, s[3]<<1 | 1}
	p := pcg64{inc: inc}
	p.step()
	p.state = p.state.add(uint128{s[0], s[1]})
	p.step()
	return p
}

func (p *pcg64) step() {
	p.state = p.state.mul(uint128{2549297995355413924, 4865540595714422341}).add(p.inc)
}

func (p *pcg64) uint64() uint64 {
	p.step()
	return bits.RotateLeft64(p.state.hi^p.state.lo, -int(p.state.hi>>58))
}

// float64 returns a number in [0, 1).
func (p *pcg64) float64() float64 { return float64(p.uint64()>>11) / (1 << 53) }

// seedSequence returns what numpy.random.SeedSequence(seed).generate_state(4, numpy.uint64) does.
func seedSequence(seed uint32) (out [4]uint64) {
	hash := uint32(0x43b0d7e5)
	mix := func(v uint32) uint32 {
		v ^= hash
		hash *= 0x931e8875
		v *= hash
		return v ^ v>>16
	}
	pool := [4]uint32{mix(seed), mix(0), mix(0), mix(0)}
	for from := range pool {
		for to := range pool {
			if from != to {
				v := 0xca01f9dd*pool[to] - 0x4973f715*mix(pool[from])
				pool[to] = v ^ v>>16
			}
		}
	}
	hash = 0x8b51f9dd
	for i := range 2 * len(out) {
		v := pool[i%len(pool)] ^ hash
		hash *= 0x58f38ded
		v *= hash
		out[i/2] |= uint64(v^v>>16) << (32 * (i % 2))
	}
	return out
}
