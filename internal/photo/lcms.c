// LittleCMS, which libvips, GIMP and browsers use for the same.
//
// Debian has no static library of it, and picday shall start without: so it is looked
// for when the program is loaded, which in a decoder is the last time that a file can be
// opened. This comes before other constructors, of which one confines the decoder.

#include "lcms.h"

#include <dlfcn.h>
#include <lcms2.h>
#include <stddef.h>

#define FUNCTIONS(F) \
	F(cmsOpenProfileFromMem) F(cmsCreate_sRGBProfile) F(cmsGetColorSpace) F(cmsCreateTransform) F(cmsDoTransform) F(cmsDeleteTransform) F(cmsCloseProfile)

#define DECLARE(f) static __typeof__(f) *p_##f;
FUNCTIONS(DECLARE)

static int loaded;

__attribute__((constructor(101))) static void load(void) {
	void *lib = dlopen("liblcms2.so.2", RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return;
	loaded = 1;
#define FIND(f) loaded &= (p_##f = (__typeof__(f) *)dlsym(lib, #f)) != NULL;
	FUNCTIONS(FIND)
}

int picday_lcms(void) { return loaded; }

void *picday_conversion(const unsigned char *profile, unsigned int size, int components) {
	if (!loaded)
		return NULL;
	cmsUInt32Number kind = components == 1 ? TYPE_GRAY_8 : components == 3 ? TYPE_RGBA_8 : TYPE_CMYK_8;
	cmsColorSpaceSignature space = components == 1 ? cmsSigGrayData : components == 3 ? cmsSigRgbData : cmsSigCmykData;
	cmsHPROFILE from = p_cmsOpenProfileFromMem(profile, size), to = p_cmsCreate_sRGBProfile();
	cmsHTRANSFORM t = NULL;
	if (from && to && p_cmsGetColorSpace(from) == space)
		// The white of the paper becomes white; the default of libvips and Photoshop.
		t = p_cmsCreateTransform(from, kind, to, TYPE_RGBA_8, INTENT_RELATIVE_COLORIMETRIC, cmsFLAGS_NOCACHE);
	if (from)
		p_cmsCloseProfile(from);
	if (to)
		p_cmsCloseProfile(to);
	return t;
}

void picday_convert(void *conversion, const unsigned char *from, unsigned char *rgba, unsigned int n) {
	p_cmsDoTransform(conversion, from, rgba, n);
	for (unsigned int i = 0; i < n; i++)
		rgba[4 * i + 3] = 255;
}

void picday_conversion_end(void *conversion) { p_cmsDeleteTransform(conversion); }
