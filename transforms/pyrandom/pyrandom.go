// Package pyrandom is the part of Python's module random that torchvision draws
// from: CPython's Mersenne Twister, seeded as random.seed does it, so that a
// program chooses as the Python program does.
//
// https://docs.python.org/3/library/random.html
package pyrandom

import (
	crand "crypto/rand"
	"encoding/binary"
	"fmt"
	"math/big"
	"math/bits"
	"sync"
)

const (
	size   = 624
	middle = 397
)

// A Random is a generator: random.Random. Goroutines may share one; the numbers
// that each of them gets then vary from run to run.
type Random struct {
	mu    sync.Mutex
	state [size]uint32
	next  int
}

// New returns a generator seeded with an int: random.Random(seed).
func New(seed int64) *Random {
	r := new(Random)
	r.Seed(seed)
	return r
}

// std is the generator of the module's functions, with a random seed as in Python.
var std = sync.OnceValue(func() *Random {
	var b [size * 4]byte
	crand.Read(b[:])
	key := make([]uint32, size)
	for i := range key {
		key[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	r := new(Random)
	r.init(key)
	return r
})

// Default returns the default generator: the hidden one of Python's module.
func Default() *Random { return std() }

// Seed seeds the default generator: random.seed(seed).
func Seed(seed int64) { std().Seed(seed) }

// Seed restarts the generator with an int: random.seed(seed). The sign is
// ignored, as in Python.
func (r *Random) Seed(seed int64) { r.SeedInt(big.NewInt(seed)) }

// SeedInt is [Random.Seed] for an int of any size.
func (r *Random) SeedInt(seed *big.Int) {
	var key []uint32 // the words of the seed's magnitude, the lowest first
	rest, mask := new(big.Int).Abs(seed), big.NewInt(1<<32-1)
	for rest.Sign() > 0 {
		key = append(key, uint32(new(big.Int).And(rest, mask).Uint64()))
		rest.Rsh(rest, 32)
	}
	if key == nil {
		key = []uint32{0}
	}
	r.init(key)
}

// init is init_by_array of the Mersenne Twister's authors.
func (r *Random) init(key []uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.state
	s[0] = 19650218
	for i := 1; i < size; i++ {
		s[i] = 1812433253*(s[i-1]^s[i-1]>>30) + uint32(i)
	}
	i := 1
	step := func() {
		if i++; i == size {
			s[0], i = s[size-1], 1
		}
	}
	for k := range max(size, len(key)) {
		j := k % len(key)
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1664525) + key[j] + uint32(j)
		step()
	}
	for range size - 1 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1566083941) - uint32(i)
		step()
	}
	s[0] = 1 << 31
	r.next = size
}

// uint32 returns the next 32 random bits. The caller holds the lock.
func (r *Random) uint32() uint32 {
	s := &r.state
	if r.next == size {
		for i := range s {
			y := s[i]&(1<<31) | s[(i+1)%size]&(1<<31-1)
			s[i] = s[(i+middle)%size] ^ y>>1 ^ (y&1)*0x9908b0df
		}
		r.next = 0
	}
	y := s[r.next]
	r.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// Float64 returns a number from [0, 1) with 53 random bits: random.random().
func (r *Random) Float64() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.float64()
}

func (r *Random) float64() float64 {
	a, b := r.uint32()>>5, r.uint32()>>6
	return float64(uint64(a)<<26|uint64(b)) / (1 << 53)
}

// Bits returns k random bits, 0 ≤ k ≤ 64: random.getrandbits(k).
func (r *Random) Bits(k int) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bits(k)
}

func (r *Random) bits(k int) uint64 {
	switch {
	case k < 0 || k > 64:
		panic("pyrandom: Bits takes 0 to 64 bits")
	case k == 0:
		return 0
	case k <= 32:
		return uint64(r.uint32() >> (32 - k))
	}
	low := uint64(r.uint32())
	return low | uint64(r.uint32()>>(64-k))<<32
}

// IntN returns an int from [0, n): random.randrange(n). It panics if n is less than 1.
func (r *Random) IntN(n int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.below(n)
}

func (r *Random) below(n int) int {
	if n < 1 {
		panic("pyrandom: IntN takes an n of 1 or more")
	}
	k := bits.Len(uint(n))
	for {
		if v := r.bits(k); v < uint64(n) {
			return int(v)
		}
	}
}

// Shuffle puts n elements into a random order by exchanging pairs: random.shuffle(x).
func (r *Random) Shuffle(n int, swap func(i, j int)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := n - 1; i >= 1; i-- {
		swap(i, r.below(i+1))
	}
}

// Choice returns an index from [0, n): random.choices(range(n), weights)[0].
// Without weights all are equally likely. Otherwise there must be n weights, not
// negative and with a finite sum above 0.
func (r *Random) Choice(n int, weights []float64) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if weights == nil {
		return int(r.float64() * float64(n))
	}
	sums := make([]float64, n)
	total := 0.0
	for i := range sums {
		total += weights[i]
		sums[i] = total
	}
	at := r.float64() * total
	for i, s := range sums[:n-1] {
		if at < s {
			return i
		}
	}
	return n - 1
}

// State returns the state of the generator: random.getstate(), its 624 words and the position, each in 4 bytes, the
// lowest first.
func (r *Random) State() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := make([]byte, 0, 4*(size+1))
	for _, w := range r.state {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return binary.LittleEndian.AppendUint32(b, uint32(r.next))
}

// SetState sets a state that [Random.State] returned: random.setstate(state).
func (r *Random) SetState(state []byte) error {
	if len(state) != 4*(size+1) {
		return fmt.Errorf("pyrandom: the state has %d bytes; want %d", len(state), 4*(size+1))
	}
	next := binary.LittleEndian.Uint32(state[4*size:])
	if next > size {
		return fmt.Errorf("pyrandom: the position in the state is %d; want at most %d", next, size)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.state {
		r.state[i] = binary.LittleEndian.Uint32(state[4*i:])
	}
	r.next = int(next)
	return nil
}
