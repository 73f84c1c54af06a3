/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a template with the names that messages offer. */
#ifndef WEBHOOK_TEMPLATE_H
#define WEBHOOK_TEMPLATE_H

#include "webhook_format.h"

/* As template_new. `only_alerts`: no other samples will come, so that the names of fields are
 * known. */
struct template *webhook_template_new(struct ov_slice text, bool only_alerts,
                                      template_complaint *complain, void *context);

#endif
