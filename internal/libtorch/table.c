#include "table.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

void t_limit_arenas(void) {
#ifdef __GLIBC__
	if (!getenv("MALLOC_ARENA_MAX"))
		mallopt(M_ARENA_MAX, 1);
#endif
}

static const thub_table *T;

char *t_open(const char *path) {
	void *h = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!h)
		return strdup(dlerror());
	const thub_table *(*get)(void) = (const thub_table *(*)(void))dlsym(h, "torchhub_table");
	if (!get)
		return strdup("it is no shim: torchhub_table is missing");
	const thub_table *t = get();
	if (t->abi != THUB_ABI)
		return strdup("it was built for another version of torchhub");
	T = t;
	return NULL;
}

const char *t_version(void) { return T->version; }

#define THUB_FUNCTION(result, name, parameters, arguments) \
	result t_##name parameters { return T->name arguments; }
#include "shim/functions.def"
#undef THUB_FUNCTION
