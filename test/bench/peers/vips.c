/* The peer "in-process libvips": one decode, two renditions, per photo.
 * Usage: vips OUTDIR FILE... ; cc -O2 vips.c $(pkg-config --cflags --libs vips) */
#include <stdio.h>
#include <string.h>
#include <vips/vips.h>

int main(int argc, char **argv)
{
    if (argc < 3 || VIPS_INIT(argv[0]))
        return 2;
    vips_concurrency_set(1); /* the caller runs one of us per core */
    vips_cache_set_max(0);
    for (int i = 2; i < argc; i++) {
        VipsImage *large, *memory, *thumb;
        char name[4096];
        const char *base = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
        if (vips_thumbnail(argv[i], &large, 1600, "height", 1600, "size", VIPS_SIZE_DOWN, NULL) ||
            !(memory = vips_image_copy_memory(large)) ||
            vips_thumbnail_image(memory, &thumb, 400, "height", 400, "size", VIPS_SIZE_DOWN, NULL))
            vips_error_exit("%s", argv[i]);
        snprintf(name, sizeof name, "%s/large-%s", argv[1], base);
        if (vips_jpegsave(memory, name, "Q", 85, "strip", TRUE, NULL))
            vips_error_exit("%s", name);
        snprintf(name, sizeof name, "%s/thumb-%s", argv[1], base);
        if (vips_jpegsave(thumb, name, "Q", 80, "strip", TRUE, NULL))
            vips_error_exit("%s", name);
        g_object_unref(thumb);
        g_object_unref(memory);
        g_object_unref(large);
    }
    return 0;
}
