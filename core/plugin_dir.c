/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
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
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - sizeof "/.libs");
    if (len <= 0)
        return NULL;
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    strcpy(slash, "/.libs");
    return access(path, X_OK) == 0 ? ov_strdup(path) : NULL;
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
