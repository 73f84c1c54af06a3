/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "omnivigil.h"
#include "plugin_dir.h"

#ifndef OV_PLUGIN_DIR
#define OV_PLUGIN_DIR "."
#endif

/* libtool leaves modules in .libs beside the program. */
static char *build_tree_dir(void)
{
    char program[PATH_MAX], dir[PATH_MAX + sizeof "/.libs"];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len <= 0)
        return NULL;
    program[len] = '\0';
    char *slash = strrchr(program, '/');
    if (!slash)
        return NULL;
    snprintf(dir, sizeof dir, "%.*s/.libs", (int)(slash - program), program);
    return access(dir, X_OK) == 0 ? ov_strdup(dir) : NULL;
}

char *ov_plugin_dir(const char *option, const char *configured)
{
    const char *environment = getenv("OMNIVIGIL_PLUGIN_DIR");
    if (option)
        return ov_strdup(option);
    if (environment && *environment)
        return ov_strdup(environment);
    if (configured && *configured)
        return ov_strdup(configured);
    char *built = build_tree_dir();
    return built ? built : ov_strdup(OV_PLUGIN_DIR);
}
