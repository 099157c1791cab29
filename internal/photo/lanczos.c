// 16 rows of the result at a time, so that what lies between the two passes stays in
// the second-level cache: down the columns, where a row is one long vector; then,
// woven so that the 16 samples of a column lie side by side, along the rows, where
// those 16 are the vector. (A dot product for each sample takes 6 times as long.)
// All in integers, which give the same on every CPU, in whatever order they are added.

#include "lanczos.h"

enum { ROWS = 16 };

// One body for each level of vectors; the loader picks (GCC 12 or newer, glibc).
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && __GNUC__ >= 12 && !defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

// Unrolled, loops of 16 are no loops any more when GCC looks for some to vectorise.
#define LOOP _Pragma("GCC unroll 1")

// down sums n rows into acc, four at a time: fewer passes over acc.
CLONES static void down(const uint8_t *src, int stride, int w, const int16_t *weight, int n, int32_t *restrict acc, int16_t *restrict out) {
	for (int x = 0; x < w; x++)
		acc[x] = 1 << 7;
	for (int k = 0; k < n; k += 4) {
		const uint8_t *r[4];
		int c[4];
		for (int j = 0; j < 4; j++) {
			int at = k + j < n ? k + j : k;
			r[j] = src + (long)at * stride;
			c[j] = k + j < n ? weight[at] : 0;
		}
		const uint8_t *r0 = r[0], *r1 = r[1], *r2 = r[2], *r3 = r[3];
		int c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3];
		for (int x = 0; x < w; x++)
			acc[x] += c0 * r0[x] + c1 * r1[x] + c2 * r2[x] + c3 * r3[x];
	}
	// 6 bits remain behind the point. The weights' magnitudes add up to less than 2
	// (TestWeights), so that 255 becomes at most 32,640.
	for (int x = 0; x < w; x++)
		out[x] = acc[x] >> 8;
}

CLONES static void weave(const int16_t *restrict in, int w, int16_t *restrict out) {
	for (int x = 0; x < w; x++)
		for (int r = 0; r < ROWS; r++)
			out[x * ROWS + r] = in[(long)r * w + x];
}

CLONES static void along(const int16_t *restrict in, uint8_t *restrict out, int dst_w, const int32_t *start, const int16_t *weight, int n) {
	for (int x = 0; x < dst_w; x++) {
		const int16_t *a = in + (long)start[x] * ROWS, *b = weight + (long)x * n;
		int32_t sum[ROWS];
		LOOP for (int r = 0; r < ROWS; r++)
			sum[r] = 1 << 19;
		for (int k = 0; k < n; k++)
			LOOP for (int r = 0; r < ROWS; r++)
				sum[r] += a[k * ROWS + r] * b[k];
		LOOP for (int r = 0; r < ROWS; r++) {
			int32_t s = sum[r] >> 20;
			s = s < 0 ? 0 : s;
			out[x * ROWS + r] = s > 255 ? 255 : s;
		}
	}
}

CLONES static void unweave(const uint8_t *restrict in, int w, uint8_t *restrict dst, int stride, int rows) {
	for (int r = 0; r < rows; r++)
		for (int x = 0; x < w; x++)
			dst[(long)r * stride + x] = in[x * ROWS + r];
}

long picday_lanczos_scratch(int w, int dst_w) { return 4L * w + 2L * (2L * ROWS * w) + (long)ROWS * dst_w; }

void picday_lanczos(const uint8_t *src, int stride, int w, uint8_t *dst, int dst_stride, int dst_w, int dst_h,
	const int32_t *start_x, const int16_t *weight_x, int n_x, const int32_t *start_y, const int16_t *weight_y, int n_y, void *scratch) {
	int32_t *acc = scratch;
	int16_t *lines = (int16_t *)(acc + w), *woven = lines + (long)ROWS * w;
	uint8_t *done = (uint8_t *)(woven + (long)ROWS * w);
	for (int y = 0; y < dst_h; y += ROWS) {
		int rows = dst_h - y < ROWS ? dst_h - y : ROWS;
		for (int r = 0; r < rows; r++)
			down(src + (long)start_y[y + r] * stride, stride, w, weight_y + (long)(y + r) * n_y, n_y, acc, lines + (long)r * w);
		weave(lines, w, woven); // of less than 16 rows, the others are stale, and not copied
		along(woven, done, dst_w, start_x, weight_x, n_x);
		unweave(done, dst_w, dst + (long)y * dst_stride, dst_stride, rows);
	}
}
