/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole configuration of the agent, read from one YAML file through the option tables (its
 * own and the plugins'), checked, and filled in.
 *
 *     agent:   { interval: 10s, state_dir: /var/lib/omnivigil, tags: {site: fra}, ... }
 *     inputs:  [ { plugin: redis_bus, name: main, url: redis://..., tags: {...} }, ... ]
 *     outputs: [ { plugin: influx, url: http://..., queue_samples: 100000 }, ... ]
 *
 * Main thread only.
 */
#ifndef OV_SETTINGS_H
#define OV_SETTINGS_H

#include "filter.h"
#include "omnivigil.h"
#include "alerts.h"
#include "plugin.h"
#include "rule.h"

enum ov_log_format { OV_LOG_AUTO, OV_LOG_TEXT, OV_LOG_JSON };

/* One input or output as configured. The first part is read through the instance option table
 * of its kind, `state` through the plugin's own. */
struct ov_instance {
    const struct ov_plugin *plugin;
    char *plugin_name;
    char *name;           /* unique among the inputs, or outputs; the plugin's name by default */
    bool optional;        /* a plugin that does not load is left out */
    int64_t interval_ms;  /* inputs: 0 = the agent's; outputs: 0 = whatever comes */
    int64_t jitter_ms;    /* inputs: -1 = the agent's */
    int64_t timeout_ms;   /* inputs: `gather_timeout`, 0 = the interval; outputs: a send's limit */
    int64_t queue_samples, queue_bytes; /* outputs: limits of the queue */
    int queue_mode, queue_sync;   /* outputs: enum ov_queue_mode, enum ov_queue_sync */
    int64_t retry_limit_ms;       /* outputs: 0 = none */
    int64_t flush_ms;             /* outputs */
    struct ov_filter_patterns include, exclude; /* outputs */
    struct ov_map tags;   /* inputs: the agent's tags with the instance's over them; outputs: own */
    void *state;          /* plugin->state_size bytes, options filled in */
    char **origins;       /* of those: see origin.h */
};

struct ov_settings {
    char *path;                   /* the file, NULL for the built-in configuration */
    int64_t interval_ms, jitter_ms, grace_ms, state_interval_ms;
    char *state_dir;              /* NULL or "": chosen by the agent */
    char *queue_dir;              /* NULL or "": the state directory */
    char *plugin_dir;             /* where the plugins came from */
    char *env_file;
    int log_level;                /* enum ov_level */
    int log_format;               /* enum ov_log_format */
    struct ov_map tags;
    struct ov_instance *inputs, *outputs;
    size_t input_count, output_count;
    struct ov_compiled_rule **rules; /* the inputs' recommended ones, and the configured ones */
    size_t rule_count;
    struct ov_silence *silences;
    size_t silence_count;
    size_t missing_count;         /* `optional` instances left out, their plugin did not load */
};

/* Reads `path`; NULL means the built-in configuration, which is also what an empty mapping, or a
 * file of comments, stands for: the inputs redis_bus, storage and runner, and the output `file`.
 * A section `inputs` or `outputs` replaces its half of that.
 *
 * On success returns the settings, to be freed with ov_settings_free. On errors returns NULL,
 * sets *error_count and adds all of them to `errors`, in the order of the file, each as
 *     FILE:LINE:COLUMN: what is wrong, what was expected (did you mean `interval`?)
 *         the line itself
 *         ^~~~~
 * Secrets are shown as ***. Warnings ("FILE:LINE:COLUMN: warning: ...", such as a secret file that
 * others can read) are added to `errors` too, also on success.
 *
 * `*plugins` is where loaded plugins are kept. If it is NULL it is created for the directory
 * that is given by, first of these: `plugin_dir_override` (a command-line option, may be NULL), the
 * environment variable OMNIVIGIL_PLUGIN_DIR, agent.plugin_dir, the directory chosen when building.
 * It may be created, and must be freed by the caller, after errors too; not before the settings. A
 * reload hands the same one in again: its directory stays, another one asked for is a warning.
 *
 * Opens no connection, writes nothing. */
struct ov_settings *ov_settings_read(const char *path, const char *plugin_dir_override,
                                     struct ov_plugins **plugins, struct ov_buf *errors,
                                     size_t *error_count) OV_MUST_CHECK;
/* The same from a text, called `name` in errors. */
struct ov_settings *ov_settings_parse(const char *name, struct ov_slice text,
                                      const char *plugin_dir_override,
                                      struct ov_plugins **plugins, struct ov_buf *errors,
                                      size_t *error_count) OV_MUST_CHECK;
void ov_settings_free(struct ov_settings *settings);

/* The tables, for `omnivigil plugins` and the reference. */
extern const struct ov_option ov_rule_options[];
extern const struct ov_option ov_silence_options[];
extern const struct ov_option ov_agent_options[];
extern const struct ov_option ov_input_options[];
extern const struct ov_option ov_output_options[];

#endif
