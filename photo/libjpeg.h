#include <stddef.h>

enum { picday_ok, picday_damaged, picday_complex };

// What jpeg_color_space of a decoded photo can be, as far as we tell apart.
enum { picday_other, picday_grey, picday_ycc };

typedef struct {
	int status;
	char message[200]; // JMSG_LENGTH_MAX

	// A decoded photo, to be freed with picday_free.
	int components, space;
	struct {
		unsigned char *pix;
		int stride, w, h;      // samples, the last of a row and column maybe in part
		double span_w, span_h; // samples the picture covers, to the fraction
	} plane[4];

	// A coded one, to be freed with picday_free.
	unsigned char *jpeg;
	unsigned long size;
} picday_result;

// Each plane is decoded at 1/2, 1/4 or 1/8 if it still has min_w x min_h samples
// then; the first values are for brightness, the second for colour.
void picday_decode(picday_result *r, const unsigned char *jpeg, size_t size, int width, int height, const double min_w[2],
	const double min_h[2], long max_memory);

// Rows are padded to a multiple of 8 samples. cb is NULL for grey. h and v are the
// sampling factors of y. mode is 0 for the standard's Huffman tables, 1 for optimal
// ones, 2 for progressive.
void picday_encode(picday_result *r, int width, int height, unsigned char *y, int y_stride, unsigned char *cb,
	unsigned char *cr, int c_stride, int h, int v, int quality, int mode);

void picday_free(picday_result *r);
