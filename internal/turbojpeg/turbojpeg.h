#include <stddef.h>

// turbo_open loads the library and says where it lies; 0 where that fails.
int turbo_open(const char *name, char *path, int n);

// All return 0, or 1 and the library's text of up to n bytes. The text tells an
// error from a warning, after which the result is there.
int turbo_header(const unsigned char *data, size_t len, int *ret_w, int *ret_h, int *ret_colorspace, char *text, int n);
int turbo_decode(const unsigned char *data, size_t len, unsigned char *pix, int w, int h, int format, char *text, int n);
int turbo_encode(const unsigned char *pix, int w, int h, int format, int subsampling, int quality, int progressive,
	unsigned char **ret_data, size_t *ret_len, char *text, int n); // returns memory for turbo_free
void turbo_free(unsigned char *data);
