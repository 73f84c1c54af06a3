/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin, built once for each way to be a bad one: -DBAD_<way> and -DNAME="<way>", which is also
 * how the shared object is called. BAD_good is a good input, BAD_output a good output.
 */
#if defined BAD_symbol
#define OV_PLUGIN_SYMBOL omnivigil_plug
#endif
#include "omnivigil.h"

int of_a_later_version(void);

static const struct ov_option no_options[] = {{0}};
static const struct ov_measurement *const no_measurements[] = {NULL};

static int plugin_open(void *state, struct ov_host *host)
{
    (void)state;
    (void)host;
#if defined BAD_undefined
    return of_a_later_version();
#else
    return OV_OK;
#endif
}

static void plugin_close(void *state)
{
    (void)state;
}

static int plugin_gather(void *state, struct ov_batch *batch)
{
    (void)state;
    (void)batch;
    return OV_OK;
}

static void plugin_encode(void *state, const struct ov_batch *batch, struct ov_emit *emit)
{
    (void)state;
    (void)batch;
    (void)emit;
}

static enum ov_sent plugin_send(void *state, struct ov_slice bytes, struct ov_outcome *outcome)
{
    (void)state;
    (void)bytes;
    (void)outcome;
    return OV_SENT;
}

OV_PLUGIN = {
#if defined BAD_abi
    .abi = OV_ABI + 1, .size = sizeof(struct ov_plugin),
#elif defined BAD_older
    .abi = OV_ABI - 1, .size = sizeof(struct ov_plugin),
#elif defined BAD_size
    .abi = OV_ABI, .size = sizeof(struct ov_plugin) - 8,
#else
    OV_PLUGIN_HEAD,
#endif
#if defined BAD_name
    .name = "other",
#elif !defined BAD_nameless
    .name = NAME,
#endif
#if !defined BAD_summary
    .summary = "a plugin",
#endif
#if defined BAD_kind
    .kind = (enum ov_plugin_kind)7,
#elif defined BAD_output || defined BAD_encode || defined BAD_send
    .kind = OV_OUTPUT,
#else
    .kind = OV_INPUT,
#endif
#if !defined BAD_state
    .state_size = 8,
#endif
#if !defined BAD_options
    .options = no_options,
#endif
#if !defined BAD_measurements && !defined BAD_output
    .measurements = no_measurements,
#endif
#if !defined BAD_open
    .open = plugin_open,
#endif
#if !defined BAD_close
    .close = plugin_close,
#endif
#if !defined BAD_gather && !defined BAD_output
    .gather = plugin_gather,
#endif
#if !defined BAD_encode
    .encode = plugin_encode,
#endif
#if !defined BAD_send
    .send = plugin_send,
#endif
};
