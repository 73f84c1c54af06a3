/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the saved state of alerts: what is taken can go on, and is saved the same way again
 * and again. */
#include <stdio.h>
#include <stdlib.h>

#include "alerts.h"
#include "rule_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static const struct ov_rule texts[] = {
    {.name = "over", .value = "group.pending", .warning = "3", .unless = "health.runner=lost"},
    {.name = "lost", .value = "increase(group.lost, 60s)", .critical = "0", .repeat = "1s"},
    {.name = "health", .value = "health.status", .critical = "0", .hold = "1s"},
};
enum { RULES = OV_COUNT(texts) };
#define START_NS INT64_C(1700000000000000000)

/* Loads, goes on for a moment, and what was told has an id. */
static void go_on(struct ov_alerts *alerts)
{
    static const struct ov_map no_tags;
    for (int i = 0; i < 4; i++) {
        struct ov_batch *batch = ov_batch_new(&no_tags, 0), *out = ov_batch_new(&no_tags, 0);
        struct ov_sample *s = rig_sample(batch, "t", "g", "a");
        ov_sample_int(s, GROUP_PENDING, i < 2 ? 9 : 0);
        ov_sample_int(s, GROUP_LOST, i);
        ov_batch_unread(batch, &rig_group, 0, i % 2 ? s->tags : NULL, OV_SLICE("away"));
        ov_sample_int(ov_batch_add(batch, &rig_health), HEALTH_STATUS, i < 2);
        ov_alerts_feed(alerts, "bus", batch, 1000 + i * 1000, START_NS, out);
        require(ov_batch_count(out) <= RULES, "told more than once");
        ov_alerts_told(alerts, out);
        ov_batch_free(batch);
        ov_batch_free(out);
    }
}

static bool turn(struct ov_compiled_rule *const *rules, struct ov_slice text, struct ov_buf *out)
{
    struct ov_alerts *alerts = ov_alerts_new(&(struct ov_alerts_setup){.rules = rules,
                                                                       .rule_count = RULES});
    bool good = ov_alerts_load(alerts, text, 1000, START_NS);
    ov_alerts_save(alerts, 1000, START_NS, out);
    size_t lines = 0;
    for (size_t i = 0; i + 1 < out->len; i++)
        lines += out->data[i] == 'A' && out->data[i + 1] == ' ' &&
                 (i == 0 || out->data[i - 1] == '\n');
    require(lines == ov_alerts_firing(alerts), "what is saved is not what fires");
    go_on(alerts);
    ov_alerts_free(alerts);
    return good;
}

/* Of the hashes, which have no order, only how many there are is compared. */
static void forget_hashes(struct ov_buf *text)
{
    bool in_hashes = false;
    for (size_t i = 0; i < text->len; i++) {
        bool at_start = i == 0 || text->data[i - 1] == '\n';
        in_hashes = at_start ? text->data[i] == 'Z' : in_hashes;
        if (in_hashes && text->data[i] != '\n')
            text->data[i] = 'Z';
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ov_compiled_rule *rules[RULES];
    struct ov_buf first = {0}, second = {0};
    char *text = ov_memdup(data, size);
    for (size_t i = 0; i < RULES; i++)
        rules[i] = rig_rule(&texts[i]);
    (void)turn(rules, (struct ov_slice){text, size}, &first);
    require(turn(rules, (struct ov_slice){first.data, first.len}, &second),
            "what was saved is damaged");
    forget_hashes(&first);
    forget_hashes(&second);
    require(ov_slice_eq((struct ov_slice){first.data, first.len},
                        (struct ov_slice){second.data, second.len}), "saved differently");
    for (size_t i = 0; i < RULES; i++)
        ov_rule_free(rules[i]);
    ov_buf_free(&first);
    ov_buf_free(&second);
    free(text);
    return 0;
}
