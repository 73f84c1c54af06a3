/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plugins without files, in the place of core/plugin.c: what a configuration can name in tests.
 *
 *     fake                        an input with an option of every type
 *     redis_bus, storage, runner  inputs without options
 *     file, sink                  outputs; sink has a secret
 *     clash                       an input with an option the agent itself has
 *     broken                      is there, and does not load
 */
#ifndef OV_FAKE_PLUGINS_H
#define OV_FAKE_PLUGINS_H

#include <stdlib.h>

#include "plugin.h"

struct fake_tls {
    char *ca, *key;
    bool insecure;
    int64_t port;
};

struct fake {
    char *url, *text, *password, *wish;
    int64_t port, count, wait_ms, room;
    bool enabled;
    double share;
    int mode;
    struct ov_list topics;
    struct ov_map labels, headers;
    struct fake_tls tls;
};

static const char *const fake_modes[] = {"slow", "steady", "quick", NULL};

static const struct ov_option fake_tls_options[] = {
    {.name = "ca", .type = OV_OPT_STRING, .offset = offsetof(struct fake_tls, ca)},
    {.name = "key", .type = OV_OPT_STRING, .offset = offsetof(struct fake_tls, key),
     .env = "FAKE_KEY", .secret = true, .help = "the private key"},
    {.name = "insecure", .type = OV_OPT_BOOL, .offset = offsetof(struct fake_tls, insecure),
     .fallback = "false"},
    {.name = "port", .type = OV_OPT_INT, .offset = offsetof(struct fake_tls, port),
     .fallback = "443", .min = 1, .max = 65535},
    {0},
};

static const struct ov_option fake_options[] = {
    {.name = "url", .type = OV_OPT_STRING, .offset = offsetof(struct fake, url),
     .fallback = "fake://localhost", .env = "FAKE_URL", .secret = true,
     .help = "where the fake thing is, which needs some words to explain, more than go into one "
             "line"},
    {.name = "text", .type = OV_OPT_STRING, .offset = offsetof(struct fake, text)},
    {.name = "password", .type = OV_OPT_STRING, .offset = offsetof(struct fake, password),
     .secret = true, .help = "what nobody may see"},
    {.name = "wish", .type = OV_OPT_STRING, .offset = offsetof(struct fake, wish),
     .fallback = "none"},
    {.name = "port", .type = OV_OPT_INT, .offset = offsetof(struct fake, port),
     .fallback = "6379", .min = 1, .max = 65535},
    {.name = "count", .type = OV_OPT_INT, .offset = offsetof(struct fake, count)},
    {.name = "wait", .type = OV_OPT_DURATION, .offset = offsetof(struct fake, wait_ms),
     .fallback = "5s", .env = "FAKE_WAIT", .min = 10, .max = 600000},
    {.name = "room", .type = OV_OPT_SIZE, .offset = offsetof(struct fake, room),
     .fallback = "64KiB", .min = 1, .max = INT64_MAX},
    {.name = "enabled", .type = OV_OPT_BOOL, .offset = offsetof(struct fake, enabled),
     .fallback = "true"},
    {.name = "share", .type = OV_OPT_RATIO, .offset = offsetof(struct fake, share),
     .fallback = "0.5"},
    {.name = "mode", .type = OV_OPT_ENUM, .offset = offsetof(struct fake, mode),
     .fallback = "steady", .choices = fake_modes},
    {.name = "topics", .type = OV_OPT_LIST, .offset = offsetof(struct fake, topics),
     .env = "FAKE_TOPICS"},
    {.name = "labels", .type = OV_OPT_MAP, .offset = offsetof(struct fake, labels),
     .env = "FAKE_LABELS"},
    {.name = "headers", .type = OV_OPT_MAP, .offset = offsetof(struct fake, headers),
     .secret = true},
    {.name = "tls", .type = OV_OPT_TABLE, .offset = offsetof(struct fake, tls),
     .table = fake_tls_options, .help = "for what must not be overheard"},
    {0},
};

/* What a check may find: a table's option, one with an environment variable, the instance. */
static void fake_check(void *state, struct ov_check *check)
{
    const struct fake *fake = state;
    if (fake->tls.insecure && fake->tls.ca)
        ov_check_error(check, "tls.ca", "has no meaning with `insecure`");
    if (strncmp(fake->url, "fake://", 7) != 0)
        ov_check_error(check, "url", "must begin with %s", "fake://");
    if (fake->wish && strcmp(fake->wish, "nothing at all") == 0)
        ov_check_error(check, "", "cannot work");
}

struct sink {
    char *token;
};
static const struct ov_option sink_options[] = {
    {.name = "token", .type = OV_OPT_STRING, .offset = offsetof(struct sink, token),
     .secret = true, .required = true},
    {0},
};
static const struct ov_option clash_options[] = {
    {.name = "interval", .type = OV_OPT_DURATION},
    {0},
};
static const struct ov_option no_options[] = {{0}};
static const struct ov_measurement *const no_measurements[] = {NULL};

static const struct ov_plugin fake_plugins[] = {
    {.name = "clash", .kind = OV_INPUT, .state_size = 8, .options = clash_options,
     .measurements = no_measurements},
    {.name = "fake", .kind = OV_INPUT, .state_size = sizeof(struct fake),
     .options = fake_options, .measurements = no_measurements, .check = fake_check},
    {.name = "file", .kind = OV_OUTPUT, .state_size = 1, .options = no_options},
    {.name = "redis_bus", .kind = OV_INPUT, .state_size = 1, .options = no_options,
     .measurements = no_measurements},
    {.name = "runner", .kind = OV_INPUT, .state_size = 1, .options = no_options,
     .measurements = no_measurements},
    {.name = "sink", .kind = OV_OUTPUT, .state_size = sizeof(struct sink),
     .options = sink_options},
    {.name = "storage", .kind = OV_INPUT, .state_size = 1, .options = no_options,
     .measurements = no_measurements},
};

struct ov_plugins {
    char *dir;
};

struct ov_plugins *ov_plugins_new(const char *dir)
{
    struct ov_plugins *plugins = ov_malloc(sizeof *plugins);
    plugins->dir = ov_strdup(dir);
    return plugins;
}

void ov_plugins_free(struct ov_plugins *plugins)
{
    if (plugins)
        free(plugins->dir);
    free(plugins);
}

const char *ov_plugins_dir(const struct ov_plugins *plugins)
{
    return plugins->dir;
}

const struct ov_plugin *ov_plugins_load(struct ov_plugins *plugins, const char *name,
                                        struct ov_buf *why)
{
    for (size_t i = 0; i < OV_COUNT(fake_plugins); i++)
        if (strcmp(fake_plugins[i].name, name) == 0)
            return &fake_plugins[i];
    ov_buf_printf(why, "%s/%s.so: does not load", plugins->dir, name);
    return NULL;
}

char **ov_plugins_list(struct ov_plugins *plugins, size_t *count)
{
    (void)plugins;
    *count = OV_COUNT(fake_plugins) + 1;
    char **names = ov_calloc(*count, sizeof(char *));
    names[0] = ov_strdup("broken");
    for (size_t i = 0; i < OV_COUNT(fake_plugins); i++)
        names[i + 1] = ov_strdup(fake_plugins[i].name);
    return names;
}

#endif
