/* SPDX-License-Identifier: Apache-2.0 */
/* What a test of an output plugin needs: an instance whose options are set by name through its
 * table, a host, and a batch of samples. The plugin is linked in as `omnivigil_plugin`. */
#ifndef OUTPUT_RIG_H
#define OUTPUT_RIG_H

#include <stdio.h>
#include <stdlib.h>

#include "batch.h"
#include "emit.h"
#include "host.h"
#include "omnivigil.h"

extern const struct ov_plugin omnivigil_plugin;

struct output_rig {
    void *state;
    struct ov_host *host;
    int64_t timeout_ms;
};

static inline const struct ov_option *rig_option(const char *name)
{
    const struct ov_option *o = omnivigil_plugin.options;
    while (o->name && strcmp(o->name, name) != 0)
        o++;
    return o->name ? o : NULL;
}

static inline void rig_set(struct output_rig *rig, const char *name, const char *text)
{
    memcpy((char *)rig->state + rig_option(name)->offset, &text, sizeof text);
}

static inline void rig_set_int(struct output_rig *rig, const char *name, int64_t value)
{
    memcpy((char *)rig->state + rig_option(name)->offset, &value, sizeof value);
}

static inline void rig_set_enum(struct output_rig *rig, const char *name, int value)
{
    memcpy((char *)rig->state + rig_option(name)->offset, &value, sizeof value);
}

static inline void rig_start(struct output_rig *rig)
{
    rig->state = calloc(1, omnivigil_plugin.state_size);
    rig->host = ov_host_new("test", ".", true);
    rig->timeout_ms = 5000;
}

static inline void rig_end(struct output_rig *rig)
{
    omnivigil_plugin.close(rig->state);
    ov_host_free(rig->host);
    free(rig->state);
}

static inline enum ov_sent rig_send(struct output_rig *rig, struct ov_slice bytes,
                                    struct ov_outcome *outcome)
{
    *outcome = (struct ov_outcome){0};
    ov_host_clear(rig->host);
    ov_host_set_deadline(rig->host, ov_clock_ms() + rig->timeout_ms);
    return omnivigil_plugin.send(rig->state, bytes, outcome);
}

#endif
