/* SPDX-License-Identifier: Apache-2.0 */
/* The option tables of the agent itself, and of what every input and every output has besides its
 * plugin's own options. */
#include "queue.h"
#include "settings.h"

#define MS_SECOND INT64_C(1000)
#define MS_MINUTE (60 * MS_SECOND)
#define MS_DAY (1440 * MS_MINUTE)
#define MIB (INT64_C(1) << 20)

static const char *const log_levels[] = {
    [OV_ERROR] = "error", [OV_WARN] = "warn", [OV_INFO] = "info", [OV_DEBUG] = "debug", NULL,
};
static const char *const log_formats[] = {
    [OV_LOG_AUTO] = "auto", [OV_LOG_TEXT] = "text", [OV_LOG_JSON] = "json", NULL,
};
static const char *const queue_modes[] = {
    [OV_QUEUE_MEMORY] = "memory", [OV_QUEUE_DISK] = "disk", [OV_QUEUE_WRITE_AHEAD] = "write_ahead",
    [OV_QUEUE_AUTO] = "auto", NULL,
};
static const char *const queue_syncs[] = {
    [OV_QUEUE_SYNC_NEVER] = "never", [OV_QUEUE_SYNC_INTERVAL] = "interval",
    [OV_QUEUE_SYNC_ALWAYS] = "always", NULL,
};

#define AGENT(option, kind, member)                                                                \
    .name = option, .type = kind, .offset = offsetof(struct ov_settings, member)

const struct ov_option ov_agent_options[] = {
    {
        AGENT("interval", OV_OPT_DURATION, interval_ms),
        .fallback = "10s", .min = 100, .max = MS_DAY,
        .help = "time from one gather of an input to the next"
    },
    {
        AGENT("jitter", OV_OPT_DURATION, jitter_ms),
        .fallback = "0s", .min = 0, .max = MS_DAY,
        .help = "each gather begins late by a random time up to this, so that many agents do not "
                "ask in the same moment"
    },
    {
        AGENT("grace", OV_OPT_DURATION, grace_ms),
        .fallback = "5s", .min = 0, .max = 10 * MS_MINUTE,
        .help = "time inputs and outputs have to finish when the agent stops or reloads"
    },
    {
        AGENT("state_interval", OV_OPT_DURATION, state_interval_ms),
        .fallback = "60s", .min = MS_SECOND, .max = MS_DAY,
        .help = "time between two writes of what must survive a restart"
    },
    {
        AGENT("state_dir", OV_OPT_STRING, state_dir),
        .help = "directory for that, and for samples that wait on disk; by default the one systemd "
                "or the user's environment provides"
    },
    {
        AGENT("queue_dir", OV_OPT_STRING, queue_dir),
        .help = "directory for samples that wait on disk, in place of state_dir; read at the start "
                "only"
    },
    {
        AGENT("plugin_dir", OV_OPT_STRING, plugin_dir),
        .help = "directory of the plugins; --plugin-dir and OMNIVIGIL_PLUGIN_DIR come first"
    },
    {
        AGENT("env_file", OV_OPT_STRING, env_file),
        .fallback = ".env",
        .help = "file of further environment variables, NAME=value in each line; \"\" for none"
    },
    {
        AGENT("log_level", OV_OPT_ENUM, log_level),
        .fallback = "info", .choices = log_levels,
        .help = "what goes into the log: this level and those before it"
    },
    {
        AGENT("log_format", OV_OPT_ENUM, log_format),
        .fallback = "auto", .choices = log_formats,
        .help = "how the log is written; auto fits where it goes"
    },
    {
        AGENT("tags", OV_OPT_MAP, tags),
        .help = "tags put on every sample, such as {site: fra}"
    },
    {0},
};

#define INSTANCE(option, kind, member)                                                             \
    .name = option, .type = kind, .offset = offsetof(struct ov_instance, member)

/* The rows of both inputs and outputs. */
#define INSTANCE_ROWS                                                                              \
    {                                                                                              \
        INSTANCE("plugin", OV_OPT_STRING, plugin_name),                                            \
        .help = "the plugin's name; always needed"                                                 \
    },                                                                                             \
    {                                                                                              \
        INSTANCE("name", OV_OPT_STRING, name),                                                     \
        .help = "name in the log, in omnivigil's own samples and of its files; by default the "    \
                "plugin's, and needed where a plugin is used twice"                                \
    },                                                                                             \
    {                                                                                              \
        INSTANCE("optional", OV_OPT_BOOL, optional),                                               \
        .fallback = "false",                                                                       \
        .help = "go on without it where its plugin cannot be loaded"                               \
    }

const struct ov_option ov_input_options[] = {
    INSTANCE_ROWS,
    {
        INSTANCE("interval", OV_OPT_DURATION, interval_ms),
        .min = 100, .max = MS_DAY,
        .help = "in place of the agent's interval"
    },
    {
        INSTANCE("jitter", OV_OPT_DURATION, jitter_ms),
        .min = 0, .max = MS_DAY,
        .help = "in place of the agent's jitter"
    },
    {
        INSTANCE("gather_timeout", OV_OPT_DURATION, timeout_ms),
        .min = 100, .max = MS_DAY,
        .help = "the longest a gather may take; by default the interval"
    },
    {
        INSTANCE("tags", OV_OPT_MAP, tags),
        .help = "tags put on its samples, besides and before the agent's"
    },
    {0},
};

const struct ov_option ov_output_options[] = {
    INSTANCE_ROWS,
    {
        INSTANCE("include", OV_OPT_TABLE, include), .table = ov_filter_options,
        .help = "take only what matches: patterns with *, ? and [a-z]; by default everything"
    },
    {
        INSTANCE("exclude", OV_OPT_TABLE, exclude), .table = ov_filter_options,
        .help = "of that, do not take what matches"
    },
    {
        INSTANCE("interval", OV_OPT_DURATION, interval_ms),
        .min = 100, .max = MS_DAY,
        .help = "take an input's samples once in this time; by default whenever it gathers"
    },
    {
        INSTANCE("tags", OV_OPT_MAP, tags),
        .help = "tags put on what this output sends, in place of an input's of the same name"
    },
    {
        INSTANCE("timeout", OV_OPT_DURATION, timeout_ms),
        .fallback = "10s", .min = 100, .max = 10 * MS_MINUTE,
        .help = "the longest one delivery may take"
    },
    {
        INSTANCE("flush", OV_OPT_DURATION, flush_ms),
        .fallback = "0s", .min = 0, .max = MS_DAY,
        .help = "samples wait so long for others that can go with them, where an output sends many "
                "at once; a full batch does not wait, nor does the end of the agent"
    },
    {
        INSTANCE("queue_samples", OV_OPT_INT, queue_samples),
        .fallback = "100000", .min = 1, .max = 1000000000,
        .help = "how many samples may wait for delivery; beyond that the oldest are dropped, "
                "counted and logged"
    },
    {
        INSTANCE("queue_bytes", OV_OPT_SIZE, queue_bytes),
        .fallback = "64MiB", .min = MIB / 16, .max = MIB << 20,
        .help = "how many bytes may wait for delivery, in memory and on disk"
    },
    {
        INSTANCE("queue", OV_OPT_ENUM, queue_mode),
        .fallback = "auto", .choices = queue_modes,
        .help = "where samples wait. memory: a restart loses them; disk: in memory while the "
                "receiver keeps up, on disk while it is away and over a restart; write_ahead: on "
                "disk before they count as taken, so that even a kill loses none; auto: "
                "write_ahead for webhook and icinga, disk for the others"
    },
    {
        INSTANCE("queue_sync", OV_OPT_ENUM, queue_sync),
        .fallback = "interval", .choices = queue_syncs,
        .help = "when what waits on disk is made safe from a loss of power. never: when the system "
                "sees fit; interval: at most once a second; always: with each record, which is slow"
    },
    {
        INSTANCE("retry_limit", OV_OPT_DURATION, retry_limit_ms),
        .fallback = "24h", .min = 0, .max = 3650 * MS_DAY,
        .help = "samples that have waited longer than this are dropped, counted and logged when a "
                "delivery fails; 0s: never"
    },
    {0},
};
