// picday_inks converts n pixels of CMYK, 255 being all of an ink, to R, G, B and 255 of
// sRGB, by a profile. It returns whether the profile can be used.
int picday_inks(const unsigned char *profile, unsigned int size, const unsigned char *cmyk, unsigned char *rgba, unsigned int n);
