#include <stddef.h>

enum { picday_ok, picday_damaged, picday_complex, picday_misfit, picday_cut };

// What the colours of a decoded photo are. RGB and CMYK come in one plane, four bytes
// for each pixel: R, G, B and 255, or the inks, of which 255 is none,
// as Adobe writes it. Those without its mark mean the same to browsers and libvips.
enum { picday_grey, picday_ycc, picday_rgb, picday_cmyk };

typedef struct {
	int status;
	char message[200]; // JMSG_LENGTH_MAX

	// A decoded photo, to be freed with picday_free.
	int planes, space;
	int unusual; // whether libjpeg warned of something that the picture does not suffer from
	int padded;  // whether bytes follow the picture data that do not belong to it, or that
	             // do, and libjpeg did not understand them
	struct {
		unsigned char *pix;
		size_t size;           // bytes of pix
		int stride, w, h;      // samples, the last of a row and column maybe in part
		double span_w, span_h; // samples the picture covers, to the fraction
	} plane[4];

	// A coded one, to be freed with picday_free.
	unsigned char *jpeg;
	unsigned long size;
} picday_result;

// Each plane is decoded at 1/2, 1/4 or 1/8 if it still has min_w x min_h samples
// then; the first values are for brightness, the second for colour.
//
// bare is for a file that has no EOI, and to which one has been added: it is decoded
// if every sample of it was there, else picday_cut.
void picday_decode(picday_result *r, const unsigned char *jpeg, size_t size, int bare, int width, int height,
	const double min_w[2], const double min_h[2], long max_memory);

// The shape of a plane to be coded. Colour planes need not be of one shape: each has
// its own stride, size and sampling factors.
typedef struct {
	size_t size;   // bytes there are
	int stride, w, h;
	int h_samp, v_samp;
} picday_shape;

// Codes n planes, 1 (grey) or 3. Rows are padded to a multiple of 8 samples. A plane
// that is not of the size that follows from the picture's and the sampling factors is
// picday_misfit: libjpeg would read what lies behind it. mode is 0 for the standard's
// Huffman tables, 1 for optimal ones, 2 for progressive.
void picday_encode(picday_result *r, int width, int height, int n, unsigned char *y, unsigned char *cb, unsigned char *cr,
	const picday_shape shape[3], int quality, int mode);

void picday_free(picday_result *r);
