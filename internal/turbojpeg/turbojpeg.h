#include <stddef.h>

// turbo_open loads the library and says where it lies; 0 where that fails.
int turbo_open(const char *name, char *path, int n);

// Both return 0, or 1 and the library's text of up to n bytes. The text tells an
// error from a warning, after which the result is there.
int turbo_header(const unsigned char *data, size_t len, int *ret_w, int *ret_h, int *ret_colorspace, char *text, int n);
int turbo_decode(const unsigned char *data, size_t len, unsigned char *pix, int w, int h, int format, char *text, int n);
