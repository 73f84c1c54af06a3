/* SPDX-License-Identifier: Apache-2.0 */
/* Which configuration file a command reads. */
#ifndef OV_CONFIG_PATH_H
#define OV_CONFIG_PATH_H

#define OV_CONFIG_HELP "the configuration (else ./omnivigil.yaml, then the system's)"

/* `given` if it is not NULL; else ./omnivigil.yaml, else the system's omnivigil.yaml, whichever
 * exists; else NULL: the built-in configuration. */
const char *ov_config_path(const char *given);

#endif
