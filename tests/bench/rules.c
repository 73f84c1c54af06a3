/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules cost the agent: the recommended ones of redis_bus, on samples of healthy groups such
 * as it makes them, as the alerts look at them at each gather.
 *
 *     rules PLUGIN_DIR SERIES TURNS
 *
 * Prints nanoseconds of a rule for a series, in the median, and how many rules look at a series.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts.h"
#include "batch.h"
#include "plugin.h"

static void die(const char *what)
{
    fprintf(stderr, "rules: %s\n", what);
    exit(1);
}

static void complain(void *context, const char *key, const char *problem)
{
    (void)context;
    (void)key;
    die(problem);
}

static unsigned field_of(const struct ov_measurement *m, const char *name)
{
    for (unsigned i = 0; i < m->field_count; i++)
        if (strcmp(m->fields[i].name, name) == 0)
            return i;
    die(name);
    return 0;
}

/* A group that has nothing to do. */
static void add_group(struct ov_batch *batch, const struct ov_measurement *m, size_t i)
{
    static const char *const zeros[] = {"pending", "max_deliveries", "undelivered", "lost",
                                        "dlq_length"};
    struct ov_sample *s = ov_batch_add(batch, m);
    char topic[32], group[64];
    snprintf(topic, sizeof topic, "topic.%zu", i / 2);
    snprintf(group, sizeof group, "group:%s:agent-%zu", topic, i % 2);
    ov_sample_tag(batch, s, 0, ov_slice(topic));
    ov_sample_tag(batch, s, 1, ov_slice(group));
    ov_sample_tag(batch, s, 2, ov_slice(i % 2 ? "agent-1" : "agent-0"));
    ov_sample_bool(s, field_of(m, "exists"), true);
    ov_sample_bool(s, field_of(m, "registered"), true);
    ov_sample_float(s, field_of(m, "trim_ratio"), 0);
    ov_sample_text(batch, s, field_of(m, "life"), OV_SLICE("polling"));
    for (size_t z = 0; z < OV_COUNT(zeros); z++)
        ov_sample_int(s, field_of(m, zeros[z]), 0);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The recommended rules about `about` of a plugin; what would mute them is not measured here. */
static struct ov_compiled_rule **compile(const struct ov_plugin *plugin,
                                         const struct ov_measurement *about, size_t *count)
{
    struct ov_catalogue catalogue = {0};
    struct ov_compiled_rule **rules = NULL;
    ov_catalogue_add(&catalogue, plugin->measurements);
    *count = 0;
    for (const struct ov_rule *text = plugin->rules; text->name; text++) {
        struct ov_rule plain = *text;
        plain.unless = NULL;
        struct ov_compiled_rule *rule = ov_rule_compile(&plain, &catalogue, complain, NULL);
        if (ov_rule_measurement(rule) != about) {
            ov_rule_free(rule);
            continue;
        }
        rules = ov_realloc(rules, *count + 1, sizeof *rules);
        rules[(*count)++] = rule;
    }
    free(catalogue.list);
    return rules;
}

static double measure(struct ov_alerts *alerts, const struct ov_batch *batch, double *turns,
                      size_t turn_count)
{
    for (size_t i = 0; i < turn_count; i++) {
        struct ov_batch *out = ov_batch_new(NULL, 0);
        int64_t began = ov_clock_ns();
        ov_alerts_feed(alerts, "redis_bus", batch, (int64_t)i * 10000, (int64_t)i, out);
        turns[i] = (double)(ov_clock_ns() - began);
        if (ov_batch_count(out))
            die("healthy groups raised an alert");
        ov_batch_free(out);
    }
    qsort(turns, turn_count, sizeof *turns, compare);
    return turns[turn_count / 2];
}

int main(int argc, char **argv)
{
    struct ov_buf why = {0};
    size_t series = argc == 4 ? strtoul(argv[2], NULL, 10) : 0, rule_count;
    size_t turn_count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    const struct ov_measurement *group = NULL;
    if (!series || !turn_count)
        die("usage: rules PLUGIN_DIR SERIES TURNS");
    struct ov_plugins *plugins = ov_plugins_new(argv[1]);
    const struct ov_plugin *bus = ov_plugins_load(plugins, "redis_bus", &why);
    if (!bus)
        die(ov_buf_text(&why));
    for (size_t i = 0; bus->measurements[i]; i++)
        if (strcmp(bus->measurements[i]->name, "omnidaemon_group") == 0)
            group = bus->measurements[i];
    struct ov_compiled_rule **rules = compile(bus, group, &rule_count);
    struct ov_alerts *alerts = ov_alerts_new(&(struct ov_alerts_setup){
        .rules = rules, .rule_count = rule_count});
    struct ov_batch *batch = ov_batch_new(NULL, 0);
    for (size_t i = 0; i < series; i++)
        add_group(batch, group, i);
    double *turns = ov_calloc(turn_count, sizeof *turns);
    double took = measure(alerts, batch, turns, turn_count);
    printf("%.3f %zu\n", took / (double)series / (double)rule_count, rule_count);
    free(turns);
    ov_batch_free(batch);
    ov_alerts_free(alerts);
    for (size_t i = 0; i < rule_count; i++)
        ov_rule_free(rules[i]);
    free(rules);
    ov_plugins_free(plugins);
    return 0;
}
