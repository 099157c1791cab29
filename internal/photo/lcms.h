// An opaque conversion from a profile's colours to sRGB, NULL if there can be none.
// Pixels come as grey (1 component), R, G, B and a byte that is ignored (3), or inks (4),
// and become R, G, B and 255. It is to be ended with picday_conversion_end.
void *picday_conversion(const unsigned char *profile, unsigned int size, int components);
void picday_convert(void *conversion, const unsigned char *from, unsigned char *rgba, unsigned int n);
void picday_conversion_end(void *conversion);

// Whether LittleCMS was there when the program was loaded.
int picday_lcms(void);
