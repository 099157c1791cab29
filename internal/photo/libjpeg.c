// libjpeg-turbo, through the classic libjpeg API, which is the one that hands out
// and takes planes (jpeg_read_raw_data) at a reduced DCT size. Its manual is
// libjpeg.txt in libjpeg-turbo-doc. What is used is in 2.1 and 3.x alike.

#include "libjpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#if JPEG_LIB_VERSION >= 70 // Ubuntu builds the API of libjpeg 8, Debian that of 6b
#define DCT(c) ((c)->DCT_h_scaled_size)
#define MIN_DCT(d) ((d)->min_DCT_h_scaled_size)
#define SET_DCT(c, n) ((c)->DCT_h_scaled_size = (c)->DCT_v_scaled_size = (n))
#else
#define DCT(c) ((c)->DCT_scaled_size)
#define MIN_DCT(d) ((d)->min_DCT_scaled_size)
#define SET_DCT(c, n) ((c)->DCT_scaled_size = (n))
#endif

typedef struct {
	struct jpeg_error_mgr err; // first: libjpeg hands back a pointer to it
	jmp_buf back;
	picday_result *r;
	void (*realize)(j_common_ptr);
	int dct[4]; // of each plane: 1, 2, 4 or 8
	const unsigned char *jpeg; // the file; NULL when coding
	int bare;
} context;

// fail ends the call with libjpeg's own words.
static void fail(j_common_ptr c) {
	context *x = c->client_data;
	switch (c->err->msg_code) {
	case JERR_OUT_OF_MEMORY: // also: malloc failed, in a process with a limit
	case JERR_NO_BACKING_STORE: // max_memory_to_use is reached
	case JERR_SOF_UNSUPPORTED:
	case JERR_BAD_PRECISION:
	case JERR_COMPONENT_COUNT:
	case JERR_NOT_COMPILED:
	case JERR_CONVERSION_NOTIMPL:
	case JERR_FRACT_SAMPLE_NOTIMPL: // only for pixels; planes are taken as they are
	case JERR_CCIR601_NOTIMPL:
		x->r->status = picday_complex;
		break;
	default:
		x->r->status = picday_damaged;
	}
	c->err->format_message(c, x->r->message);
	longjmp(x->back, 1);
}

// harmless is whether a warning says nothing about the picture: by its kind, and by
// where in the file it comes from. Within picture data none is.
static int harmless(j_decompress_ptr d) {
	context *x = d->client_data;
	const int *with = d->err->msg_parm.i;
	switch (d->err->msg_code) {
	case JWRN_JFIF_MAJOR:     // a number nobody uses
	case JWRN_ADOBE_XFORM:    // the colours are then what the number of components says
	case JWRN_NOT_SEQUENTIAL: // of a scan's parameters, which a sequential one does not have
		return 1;
	case JWRN_EXTRANEOUS_DATA:
		if (d->input_scan_number == 0)
			return 1; // between segments, before the picture
		// Behind the last block of a scan, and not between restart intervals. Whether
		// it is padding, the caller has to find out.
		x->r->padded = 1;
		return d->input_iMCU_row >= d->total_iMCU_rows && !x->bare &&
			(with[1] == JPEG_EOI || (with[1] >= JPEG_RST0 && with[1] <= JPEG_RST0 + 7));
	}
	return 0;
}

// message is called for traces (0 and above) and warnings (-1): mostly data that end
// early or make no sense, which libjpeg fills with grey. The first such ends the call;
// a picture with a hole is not published, so there is no use in finishing it.
static void message(j_common_ptr c, int level) {
	context *x = c->client_data;
	if (level >= 0)
		return;
	if (!x->jpeg || !harmless((j_decompress_ptr)c))
		fail(c);
	x->r->unusual = 1;
}

static void begin(j_common_ptr c, context *x, picday_result *r) {
	x->r = r;
	x->jpeg = NULL;
	x->bare = 0;
	c->err = jpeg_std_error(&x->err);
	c->err->error_exit = fail;
	c->err->emit_message = message;
	c->client_data = x;
}

// set_scales gives each plane the DCT size we want. libjpeg has one setting for all,
// and decodes subsampled colour larger to spare upsampling it, which is what we do
// not want: 4:2:0 at 1/2 would have colour planes as large as that of brightness.
// There is no call for it (turbojpeg.c overrides the same fields), so this steps in
// where libjpeg has computed the sizes and not yet chosen the transforms: at the end
// of its master_selection. Should a later version choose earlier, the planes come out
// garbled and TestDecodeScaled fails.
static void set_scales(j_common_ptr c) {
	j_decompress_ptr d = (j_decompress_ptr)c;
	context *x = c->client_data;
	c->mem->realize_virt_arrays = x->realize;
	for (int i = 0; i < d->num_components; i++)
		SET_DCT(&d->comp_info[i], x->dct[i]);
	x->realize(c);
}

static double span_w(j_decompress_ptr d, int i) { return (double)d->image_width * d->comp_info[i].h_samp_factor / d->max_h_samp_factor; }
static double span_h(j_decompress_ptr d, int i) { return (double)d->image_height * d->comp_info[i].v_samp_factor / d->max_v_samp_factor; }

// fits is whether stride and size hold what libjpeg will touch: rows of so many bytes,
// of which the last need not be there beyond them.
static int fits(size_t size, int stride, size_t columns, size_t rows) {
	return stride > 0 && (size_t)stride >= columns && rows > 0 && size >= (rows - 1) * stride + columns;
}

// allocate lays the planes out, with room for whole MCUs, which is what libjpeg
// writes. Each is a block of its own: malloc keeps blocks of up to 32 MB for the next
// photo, and larger ones cost 4 ms of page faults every time.
static void allocate(j_decompress_ptr d, picday_result *r) {
	JDIMENSION across = (d->image_width + 8 * d->max_h_samp_factor - 1) / (8 * d->max_h_samp_factor);
	for (int i = 0; i < d->num_components; i++) {
		jpeg_component_info *c = &d->comp_info[i];
		r->plane[i].stride = (across * c->h_samp_factor * DCT(c) + 31) / 32 * 32;
		r->plane[i].span_w = span_w(d, i) * DCT(c) / 8;
		r->plane[i].span_h = span_h(d, i) * DCT(c) / 8;
		r->plane[i].w = (int)r->plane[i].span_w + (r->plane[i].span_w > (int)r->plane[i].span_w);
		r->plane[i].h = (int)r->plane[i].span_h + (r->plane[i].span_h > (int)r->plane[i].span_h);
		r->plane[i].size = (size_t)r->plane[i].stride * d->total_iMCU_rows * c->v_samp_factor * DCT(c);
		r->plane[i].pix = malloc(r->plane[i].size);
		if (!r->plane[i].pix)
			ERREXIT1(d, JERR_OUT_OF_MEMORY, 0);
		// What libjpeg will write, and what we say is picture, must both be in there,
		// whatever the file's sampling factors are.
		if (!fits(r->plane[i].size, r->plane[i].stride, (size_t)c->width_in_blocks * DCT(c), (size_t)c->height_in_blocks * DCT(c)) ||
			c->width_in_blocks > across * c->h_samp_factor || c->height_in_blocks > d->total_iMCU_rows * c->v_samp_factor ||
			r->plane[i].w < 1 || (JDIMENSION)r->plane[i].w > c->width_in_blocks * DCT(c) ||
			r->plane[i].h < 1 || (JDIMENSION)r->plane[i].h > c->height_in_blocks * DCT(c))
			ERREXIT(d, JERR_BAD_LENGTH);
	}
}

// whole is whether there were data for every component, at the end of all scans; and,
// for a file that may have been cut off between two of them, whether these were all
// that there can be.
static int whole(j_decompress_ptr d, int bare) {
	for (int i = 0; i < d->num_components; i++) {
		if (!d->comp_info[i].quant_table) // which is kept when a component's first scan begins
			return 0;
		if (!d->progressive_mode)
			continue;
		for (int k = 0; k < (bare ? DCTSIZE2 : 1); k++) // -1: not seen, else the bits that are missing
			if (d->coef_bits[i][k] < 0 || (bare && d->coef_bits[i][k] != 0))
				return 0;
	}
	return 1;
}

// decode_pixels is for colours that nobody wants in planes: RGB, and the inks of CMYK
// and YCCK, which comes as CMYK too.
static void decode_pixels(j_decompress_ptr d, context *x, const double min_w[2], const double min_h[2]) {
	picday_result *r = x->r;
	r->space = d->num_components == 3 ? picday_rgb : picday_cmyk;
	d->out_color_space = r->space == picday_rgb ? JCS_EXT_RGBA : JCS_CMYK;
	d->scale_denom = 8;
	for (d->scale_num = 1; d->scale_num < 8; d->scale_num *= 2)
		if ((double)d->image_width * d->scale_num / 8 >= min_w[0] && (double)d->image_height * d->scale_num / 8 >= min_h[0])
			break;
	jpeg_start_decompress(d);
	if (!whole(d, x->bare))
		ERREXIT(d, JERR_INPUT_EOF);
	r->planes = 1;
	r->plane[0].w = r->plane[0].span_w = d->output_width;
	r->plane[0].h = r->plane[0].span_h = d->output_height;
	r->plane[0].stride = 4 * d->output_width;
	r->plane[0].size = (size_t)r->plane[0].stride * d->output_height;
	if (d->output_components != 4 || r->plane[0].size > (size_t)d->mem->max_memory_to_use ||
		!(r->plane[0].pix = malloc(r->plane[0].size)))
		ERREXIT1(d, JERR_OUT_OF_MEMORY, 0);
	while (d->output_scanline < d->output_height) {
		JSAMPROW row = r->plane[0].pix + (size_t)d->output_scanline * r->plane[0].stride;
		jpeg_read_scanlines(d, &row, 1);
	}
	jpeg_finish_decompress(d);
	jpeg_destroy_decompress(d);
}

void picday_decode(picday_result *r, const unsigned char *jpeg, size_t size, int bare, int width, int height,
	const double min_w[2], const double min_h[2], long max_memory) {
	struct jpeg_decompress_struct d;
	context x;
	memset(r, 0, sizeof *r);
	begin((j_common_ptr)&d, &x, r);
	x.jpeg = jpeg;
	x.bare = bare;
	if (setjmp(x.back)) {
		// The end that was put on comes too early: so does the file's.
		if (bare && r->status == picday_damaged)
			r->status = picday_cut;
		jpeg_destroy_decompress(&d);
		picday_free(r);
		return;
	}
	jpeg_create_decompress(&d);
	d.mem->max_memory_to_use = max_memory;
	jpeg_mem_src(&d, jpeg, size);
	jpeg_read_header(&d, TRUE);
	if (d.image_width != (JDIMENSION)width || d.image_height != (JDIMENSION)height)
		ERREXIT(&d, JERR_BAD_LENGTH); // not the frame that Check has judged
	if (d.num_components > 4)
		ERREXIT2(&d, JERR_COMPONENT_COUNT, d.num_components, 4);
	if (bare)
		r->unusual = 1;
	d.do_block_smoothing = FALSE; // it invents what a progressive file lacks
	if (d.jpeg_color_space == JCS_RGB || d.jpeg_color_space == JCS_CMYK || d.jpeg_color_space == JCS_YCCK) {
		decode_pixels(&d, &x, min_w, min_h);
		return;
	}
	if (d.jpeg_color_space != JCS_YCbCr && d.jpeg_color_space != JCS_GRAYSCALE)
		ERREXIT(&d, JERR_CONVERSION_NOTIMPL);
	r->planes = d.num_components;
	r->space = d.jpeg_color_space == JCS_YCbCr ? picday_ycc : picday_grey;
	d.out_color_space = d.jpeg_color_space;
	d.raw_data_out = TRUE;
	for (int i = 0; i < d.num_components; i++)
		for (x.dct[i] = 1; x.dct[i] < 8; x.dct[i] *= 2)
			if (span_w(&d, i) * x.dct[i] / 8 >= min_w[i > 0] && span_h(&d, i) * x.dct[i] / 8 >= min_h[i > 0])
				break;
	d.scale_num = x.dct[0];
	d.scale_denom = 8;
	x.realize = d.mem->realize_virt_arrays;
	d.mem->realize_virt_arrays = set_scales;
	jpeg_start_decompress(&d);
	if (!whole(&d, bare))
		ERREXIT(&d, JERR_INPUT_EOF);
	allocate(&d, r);

	JSAMPROW row[4][4 * DCTSIZE];
	JSAMPARRAY planes[4] = {row[0], row[1], row[2], row[3]};
	for (JDIMENSION n = 0; d.output_scanline < d.output_height; n++) {
		for (int i = 0; i < d.num_components; i++) {
			int rows = d.comp_info[i].v_samp_factor * DCT(&d.comp_info[i]);
			unsigned char *p = r->plane[i].pix + (size_t)n * rows * r->plane[i].stride;
			for (int k = 0; k < rows; k++)
				row[i][k] = p + (size_t)k * r->plane[i].stride;
		}
		jpeg_read_raw_data(&d, planes, d.max_v_samp_factor * MIN_DCT(&d));
	}
	jpeg_finish_decompress(&d); // reads on to EOI, and warns of what is in between
	jpeg_destroy_decompress(&d);
}

static int part(int whole, int factor, int of) { return (int)(((long)whole * factor + of - 1) / of); }

// check_planes refuses planes that are not what libjpeg is going to read.
static void check_planes(j_compress_ptr d, const picday_shape shape[3]) {
	int max_h = 1, max_v = 1;
	for (int i = 0; i < d->num_components; i++) {
		if (shape[i].h_samp < 1 || shape[i].h_samp > 4 || shape[i].v_samp < 1 || shape[i].v_samp > 4)
			ERREXIT(d, JERR_BAD_SAMPLING);
		max_h = shape[i].h_samp > max_h ? shape[i].h_samp : max_h;
		max_v = shape[i].v_samp > max_v ? shape[i].v_samp : max_v;
	}
	for (int i = 0; i < d->num_components; i++) {
		const picday_shape *p = &shape[i];
		if (p->w != part(d->image_width, p->h_samp, max_h) || p->h != part(d->image_height, p->v_samp, max_v) ||
			!fits(p->size, p->stride, (p->w + 7) / 8 * 8, p->h))
			ERREXIT(d, JERR_BAD_LENGTH);
	}
}

// watched is for builds with AddressSanitizer, which does not see what libjpeg itself
// reads, since that is built without it.
static void watched(const unsigned char *row, size_t n) {
#ifdef __SANITIZE_ADDRESS__
	if (__asan_region_is_poisoned((void *)row, n))
		*(volatile const unsigned char *)__asan_region_is_poisoned((void *)row, n); // reports where
#endif
}

void picday_encode(picday_result *r, int width, int height, int n, unsigned char *y, unsigned char *cb, unsigned char *cr,
	const picday_shape shape[3], int quality, int mode) {
	struct jpeg_compress_struct d;
	context x;
	memset(r, 0, sizeof *r);
	begin((j_common_ptr)&d, &x, r);
	if (setjmp(x.back)) {
		// Planes that do not fit, or memory is short. What jpeg_mem_dest allocated is
		// lost then: it tells nobody where it is until the end.
		if (r->status == picday_damaged)
			r->status = picday_misfit;
		jpeg_destroy_compress(&d);
		r->jpeg = NULL;
		return;
	}
	jpeg_create_compress(&d);
	jpeg_mem_dest(&d, &r->jpeg, &r->size);
	d.image_width = width;
	d.image_height = height;
	d.input_components = n;
	d.in_color_space = n == 3 ? JCS_YCbCr : JCS_GRAYSCALE;
	jpeg_set_defaults(&d);
	check_planes(&d, shape);
	jpeg_set_quality(&d, quality, TRUE);
	for (int i = 0; i < n; i++) {
		d.comp_info[i].h_samp_factor = shape[i].h_samp;
		d.comp_info[i].v_samp_factor = shape[i].v_samp;
	}
	d.raw_data_in = TRUE;
	d.optimize_coding = mode == 1;
	if (mode == 2)
		jpeg_simple_progression(&d);
	jpeg_start_compress(&d, TRUE);

	JSAMPROW row[3][4 * DCTSIZE];
	JSAMPARRAY planes[3] = {row[0], row[1], row[2]};
	unsigned char *pix[3] = {y, cb, cr};
	while (d.next_scanline < d.image_height) {
		for (int i = 0; i < n; i++) {
			int first = d.next_scanline / d.max_v_samp_factor * shape[i].v_samp;
			for (int k = 0; k < shape[i].v_samp * DCTSIZE; k++) {
				int at = first + k < shape[i].h ? first + k : shape[i].h - 1; // below the picture: its last row
				row[i][k] = pix[i] + (size_t)at * shape[i].stride;
				watched(row[i][k], (shape[i].w + 7) / 8 * 8);
			}
		}
		jpeg_write_raw_data(&d, planes, d.max_v_samp_factor * DCTSIZE);
	}
	jpeg_finish_compress(&d);
	jpeg_destroy_compress(&d);
}

void picday_free(picday_result *r) {
	for (int i = 0; i < 4; i++) {
		free(r->plane[i].pix);
		r->plane[i].pix = NULL;
	}
	free(r->jpeg);
	r->jpeg = NULL;
}
