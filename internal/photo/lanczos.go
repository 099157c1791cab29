package photo

// #include "lanczos.h"
import "C"

import (
	"math"
	"sync"
	"unsafe"
)

const one = 1 << 14 // of a weight

// weights is a Lanczos3 filter from a line of samples to another: n weights for each
// of the result, for the source's samples from start on.
type weights struct {
	n     int
	start []int32
	w     []int16
}

// lanczosWeights makes the filter from a line of size samples, of which the picture
// covers span, to dst samples, of which it covers dstSpan and which begin by shift
// samples before it. Beyond the edge the last sample goes on.
func lanczosWeights(size int, span float64, dst int, dstSpan, shift float64) weights {
	step := span / dstSpan // from one sample of the result to the next
	wide := max(step, 1)   // the filter cuts off what the coarser of the two cannot show
	taps := min(size, int(math.Ceil(6*wide))+1)
	kernel := lanczosTable()
	f := weights{n: taps, start: make([]int32, dst), w: make([]int16, dst*taps)}
	line := make([]float64, taps)
	for i := range dst {
		clear(line)
		at := (float64(i)+0.5-shift)*step - 0.5
		first := int(math.Floor(at-3*wide)) + 1
		start := max(0, min(first, size-taps))
		sum := 0.
		for k := first; k <= int(math.Floor(at+3*wide)); k++ {
			v := kernel[int(math.Abs(float64(k)-at)/wide*fine+0.5)]
			line[max(0, min(k, size-1)-start)] += v
			sum += v
		}
		// Rounded, the weights must still add up to one, or flat areas would change. So
		// what one loses the next gets, also where there are so many that most are 0.
		exact, whole := 0., 0
		for k, v := range line {
			exact += v / sum * one
			next := int(math.Round(exact))
			f.w[i*taps+k] = int16(next - whole)
			whole = next
		}
		f.start[i] = int32(start)
	}
	return f
}

// lanczosTable is one half of the filter in steps of 1/fine, close enough for weights
// of 14 bits. To compute it for every weight takes 3 ms for each photo.
var lanczosTable = sync.OnceValue(func() []float64 {
	t := make([]float64, 3*fine+2)
	for i := range t {
		t[i] = lanczos3(float64(i) / fine)
	}
	return t
})

const fine = 1 << 14

func lanczos3(x float64) float64 {
	if x == 0 {
		return 1
	}
	if x <= -3 || x >= 3 {
		return 0
	}
	x *= math.Pi
	return 3 * math.Sin(x) * math.Sin(x/3) / (x * x)
}

// grid is where samples of a result lie: w x h of them, of which the picture covers
// spanW x spanH, beginning shiftX and shiftY samples inside.
type grid struct {
	w, h           int
	spanW, spanH   float64
	shiftX, shiftY float64
}

// resample makes a plane on another grid. The same grid gives the plane itself.
func (p plane) resample(g grid) plane {
	if g.w == p.w && g.h == p.h && g.spanW == p.spanW && g.spanH == p.spanH && g.shiftX == 0 && g.shiftY == 0 {
		return p
	}
	out := newPlane(g.w, g.h)
	out.spanW, out.spanH = g.spanW, g.spanH
	x := lanczosWeights(p.w, p.spanW, g.w, g.spanW, g.shiftX)
	y := lanczosWeights(p.h, p.spanH, g.h, g.spanH, g.shiftY)
	scratch := make([]byte, C.picday_lanczos_scratch(C.int(p.w), C.int(g.w)))
	C.picday_lanczos(
		(*C.uint8_t)(&p.pix[0]), C.int(p.stride), C.int(p.w), (*C.uint8_t)(&out.pix[0]), C.int(out.stride), C.int(g.w), C.int(g.h),
		(*C.int32_t)(&x.start[0]), (*C.int16_t)(&x.w[0]), C.int(x.n), (*C.int32_t)(&y.start[0]), (*C.int16_t)(&y.w[0]), C.int(y.n),
		unsafe.Pointer(&scratch[0]),
	)
	return out
}

// newPlane has its rows padded to a multiple of 8, as [encodePlanes] needs them.
func newPlane(w, h int) plane {
	stride := (w + 7) &^ 7
	return plane{pix: make([]byte, stride*h), stride: stride, w: w, h: h, spanW: float64(w), spanH: float64(h)}
}

// pad continues the last sample of each row up to a multiple of 8.
func (p plane) pad() {
	for y := range p.h {
		row := p.pix[y*p.stride : y*p.stride+(p.w+7)&^7]
		for x := p.w; x < (p.w+7)&^7; x++ {
			row[x] = row[p.w-1]
		}
	}
}
