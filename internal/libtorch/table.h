// Trampolines: cgo can call a C function, but not a pointer out of a table.
// Each t_name calls the function of that name in the shim's table.
#ifndef TORCHHUB_TABLE_H
#define TORCHHUB_TABLE_H

#include "shim/shim.h"

// t_open loads the shim and takes its table. NULL, or why not: text owned by the caller.
char *t_open(const char *path);

const char *t_version(void);

#define THUB_FUNCTION(result, name, parameters, arguments) result t_##name parameters;
#include "shim/functions.def"
#undef THUB_FUNCTION

#endif
