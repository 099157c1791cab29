#include <stdint.h>

// picday_lanczos resamples one plane of 8 bits. Weights are in 1/16384, n of them
// for each row and column of the result, beginning at the source's row or column in
// start, and all within the source. scratch is for picday_lanczos_scratch bytes.
void picday_lanczos(const uint8_t *src, int stride, int w, uint8_t *dst, int dst_stride, int dst_w, int dst_h,
	const int32_t *start_x, const int16_t *weight_x, int n_x, const int32_t *start_y, const int16_t *weight_y, int n_y, void *scratch);

long picday_lanczos_scratch(int w, int dst_w);
