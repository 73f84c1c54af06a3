/* SPDX-License-Identifier: Apache-2.0 */
/* The agents there are, each with what was measured of it, in the order of topics and names. */
#ifndef AGENT_ROWS_H
#define AGENT_ROWS_H

#include "omnivigil.h"
#include "pairs.h"

struct agent_row {
    struct pair name;              /* topic, agent */
    const struct ov_sample *agent; /* of omnidaemon_agent; NULL: there is a group alone */
    const struct ov_sample *group; /* of omnidaemon_group, or NULL */
};

/* Start with {0}; the batches must live longer. */
struct agent_rows {
    struct pairs all;              /* struct agent_row, sorted */
};

/* `bus` may be NULL: then no row has a group. */
void agent_rows_read(struct agent_rows *rows, const struct ov_batch *agents,
                     const struct ov_batch *bus);
bool agent_row_is_registered(const struct agent_row *row);
void agent_rows_free(struct agent_rows *rows);

/* The one agent that --topic and --agent let pass and that has this topic and this name (NULL:
 * any); or NULL, said, with what is near, and *status is an enum ov_exit. */
const struct agent_row *agent_rows_find(const struct agent_rows *rows, struct ov_call *call,
                                        const char *topic, const char *name, int *status);

#endif
