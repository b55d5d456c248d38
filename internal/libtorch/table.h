// Trampolines: cgo can call a C function, but not a pointer out of a table.
// Each t_name calls the function of that name in the shim's table.
#ifndef TORCHHUB_TABLE_H
#define TORCHHUB_TABLE_H

#include "shim/shim.h"

// t_limit_arenas keeps glibc's malloc from making an arena for each new thread,
// where what libtorch's kernels take from malloc themselves, such as scratch
// space, would stay. Threads keep the arena of their first malloc. It does
// nothing where $MALLOC_ARENA_MAX says how many arenas there may be.
void t_limit_arenas(void);

// t_open loads the shim and takes its table. NULL, or why not: text owned by the caller.
char *t_open(const char *path);

const char *t_version(void);

#define THUB_FUNCTION(result, name, parameters, arguments) result t_##name parameters;
#include "shim/functions.def"
#undef THUB_FUNCTION

#endif
