/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <unistd.h>

#include "config_path.h"

#ifndef OV_SYSCONF_DIR
#define OV_SYSCONF_DIR "/etc/omnivigil"
#endif

const char *ov_config_path(const char *given)
{
    static const char *const places[] = {"omnivigil.yaml", OV_SYSCONF_DIR "/omnivigil.yaml"};
    if (given)
        return given;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], F_OK) == 0)
            return places[i];
    return NULL;
}
