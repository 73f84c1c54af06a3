/* SPDX-License-Identifier: Apache-2.0 */
/* The sections `rules` and `silences` of the configuration. */
#ifndef OV_SETTINGS_RULES_H
#define OV_SETTINGS_RULES_H

#include "options.h"
#include "settings.h"

/* Compiles the inputs' recommended rules and those of the section `rules` (of the mapping that is
 * the source's node) into the settings, reads the silences. Errors go to the source's diag; what is
 * not found is looked for in other plugins, to say who has it. */
void ov_settings_read_rules(struct ov_settings *settings, struct ov_plugins *plugins,
                            const struct ov_source *root);
void ov_settings_free_rules(struct ov_settings *settings);

#endif
