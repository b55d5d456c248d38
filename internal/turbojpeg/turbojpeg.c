#define _GNU_SOURCE
#include "turbojpeg.h"

#include <dlfcn.h>
#include <string.h>

// The second API of TurboJPEG, which every version since 1.2 has.
typedef void *handle;
static handle (*init_decompress)(void);
static int (*decompress_header)(handle, const unsigned char *, unsigned long, int *, int *, int *, int *);
static int (*decompress)(handle, const unsigned char *, unsigned long, unsigned char *, int, int, int, int, int);
static handle (*init_compress)(void);
static int (*compress)(handle, const unsigned char *, int, int, int, int, unsigned char **, unsigned long *, int, int, int);
static void (*free_data)(unsigned char *);
static char *(*error_text)(handle);
static int (*destroy)(handle);

enum { ACCURATE_DCT = 4096, PROGRESSIVE = 16384, LIMIT_SCANS = 32768 };

int turbo_open(const char *name, char *path, int n) {
	void *lib = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return 0;
	*(void **)&init_decompress = dlsym(lib, "tjInitDecompress");
	*(void **)&decompress_header = dlsym(lib, "tjDecompressHeader3");
	*(void **)&decompress = dlsym(lib, "tjDecompress2");
	*(void **)&init_compress = dlsym(lib, "tjInitCompress");
	*(void **)&compress = dlsym(lib, "tjCompress2");
	*(void **)&free_data = dlsym(lib, "tjFree");
	*(void **)&error_text = dlsym(lib, "tjGetErrorStr2");
	*(void **)&destroy = dlsym(lib, "tjDestroy");
	if (!init_decompress || !decompress_header || !decompress || !init_compress || !compress || !free_data || !error_text || !destroy) {
		dlclose(lib);
		return 0;
	}
	Dl_info info;
	const char *found = dladdr((void *)init_decompress, &info) && info.dli_fname ? info.dli_fname : name;
	strncpy(path, found, n - 1);
	path[n - 1] = 0;
	return 1;
}

static void fail(handle h, char *text, int n) {
	strncpy(text, h ? error_text(h) : "out of memory", n - 1);
	text[n - 1] = 0;
}

int turbo_header(const unsigned char *data, size_t len, int *ret_w, int *ret_h, int *ret_colorspace, char *text, int n) {
	handle h = init_decompress();
	int sub, r = 0;
	if (!h || decompress_header(h, data, len, ret_w, ret_h, &sub, ret_colorspace) != 0)
		r = 1, fail(h, text, n);
	if (h)
		destroy(h);
	return r;
}

int turbo_decode(const unsigned char *data, size_t len, unsigned char *pix, int w, int h, int format, char *text, int n) {
	handle t = init_decompress();
	int r = 0;
	if (!t || decompress(t, data, len, pix, w, 0, h, format, ACCURATE_DCT | LIMIT_SCANS) != 0)
		r = 1, fail(t, text, n);
	if (t)
		destroy(t);
	return r;
}

int turbo_encode(const unsigned char *pix, int w, int h, int format, int subsampling, int quality, int progressive,
	unsigned char **ret_data, size_t *ret_len, char *text, int n) {
	handle t = init_compress();
	unsigned long len = 0;
	int r = 0;
	*ret_data = NULL;
	if (!t || compress(t, pix, w, 0, h, format, ret_data, &len, subsampling, quality, ACCURATE_DCT | (progressive ? PROGRESSIVE : 0)) != 0)
		r = 1, fail(t, text, n);
	*ret_len = len;
	if (t)
		destroy(t);
	return r;
}

void turbo_free(unsigned char *data) {
	if (data)
		free_data(data);
}
