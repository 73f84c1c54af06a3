/* SPDX-License-Identifier: Apache-2.0 */
/* The digest is of the options' values, without secrets: of an address without who logs in. */
#include <inttypes.h>
#include <stdlib.h>

#include "alert.h"
#include "alerts.h"
#include "batch.h"
#include "held.h"
#include "hex.h"
#include "self.h"

/* ---------------------------------------------------------------- how an input is configured */

static void digest(uint64_t *sum, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < len; i++)
        *sum = (*sum ^ p[i]) * UINT64_C(1099511628211);
}

static void digest_text(uint64_t *sum, const char *text, bool secret)
{
    const char *host = text && secret ? strrchr(text, '@') : NULL;
    if (text && (!secret || strstr(text, "://")))
        digest(sum, host ? host : text, strlen(host ? host : text));
    digest(sum, "", 1);
}

static void digest_options(uint64_t *sum, const struct ov_option *table, const void *values)
{
    for (const struct ov_option *o = table; o && o->name; o++) {
        const void *value = (const char *)values + o->offset;
        const struct ov_list *list = value;
        const struct ov_map *map = value;
        switch (o->type) {
        case OV_OPT_STRING:
            digest_text(sum, *(char *const *)value, o->secret);
            break;
        case OV_OPT_BOOL:
            digest(sum, value, sizeof(bool));
            break;
        case OV_OPT_ENUM:
            digest(sum, value, sizeof(int));
            break;
        case OV_OPT_INT:
        case OV_OPT_DURATION:
        case OV_OPT_SIZE:
            digest(sum, value, sizeof(int64_t));
            break;
        case OV_OPT_RATIO:
            digest(sum, value, sizeof(double));
            break;
        case OV_OPT_LIST:
            for (size_t i = 0; i < list->count; i++)
                digest(sum, list->items[i].ptr, list->items[i].len);
            break;
        case OV_OPT_MAP:
            for (size_t i = 0; i < map->count; i++)
                digest(sum, map->items[i].value.ptr, map->items[i].value.len);
            break;
        case OV_OPT_TABLE:
            digest_options(sum, o->table, value);
            break;
        }
    }
}

static void put_line(struct ov_buf *out, const struct ov_instance *input)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    digest_options(&sum, input->plugin->options, input->state);
    ov_buf_str(out, "I ");
    ov_hex_put(out, ov_slice(input->name));
    ov_buf_printf(out, " %016" PRIx64 "\n", sum);
}

void ov_held_write(const struct ov_settings *settings, struct ov_buf *out)
{
    for (size_t i = 0; i < settings->input_count; i++)
        put_line(out, &settings->inputs[i]);
}

/* ---------------------------------------------------------------- reading */

struct reading {
    const struct ov_settings *settings;
    const bool *same; /* by input */
};

static bool has_input(const void *context, struct ov_slice name)
{
    const struct reading *r = context;
    if (ov_slice_eq(name, OV_SLICE(OV_SELF_INPUT)))
        return true;
    for (size_t i = 0; i < r->settings->input_count; i++)
        if (r->same[i] && ov_slice_eq(ov_slice(r->settings->inputs[i].name), name))
            return true;
    return false;
}

/* Which inputs the agent that saved `text` has just as they are here; false for none. */
static bool compare_inputs(const struct ov_settings *settings, struct ov_slice text, bool *same)
{
    struct ov_buf line = {0};
    bool any = false;
    for (size_t i = 0; i < settings->input_count; i++) {
        ov_buf_reset(&line);
        put_line(&line, &settings->inputs[i]);
        same[i] = memmem(text.ptr, text.len, line.data, line.len) != NULL;
        any |= same[i];
    }
    ov_buf_free(&line);
    return any;
}

/* Those of inputs that are the agent's own, of rules that are there. */
static struct ov_batch *list(struct ov_alerts *alerts, const struct reading *reading)
{
    struct ov_batch *all = ov_batch_new(&(struct ov_map){0}, ov_wall_ns());
    struct ov_batch *held = ov_batch_new(&(struct ov_map){0}, ov_wall_ns());
    ov_alerts_list(alerts, ov_wall_ns(), all);
    for (const struct ov_sample *s = ov_batch_first(all); s; s = s->next) {
        if (s->measurement != &ov_firing_measurement ||
            !has_input(reading, s->tags[OV_ALERT_INPUT]))
            continue;
        struct ov_sample *copy = ov_batch_add(held, s->measurement);
        for (unsigned i = 0; i < s->measurement->tag_count; i++)
            ov_sample_tag(held, copy, i, s->tags[i]);
        for (unsigned i = 0; i < s->measurement->field_count; i++) {
            bool text = s->measurement->fields[i].type == OV_TEXT;
            if (s->present >> i & 1 && text)
                ov_sample_text(held, copy, i, *s->values[i].text);
            else if (s->present >> i & 1)
                ov_sample_float(copy, i, s->values[i].number);
        }
    }
    ov_batch_free(all);
    return held;
}

struct ov_batch *ov_held_read(const struct ov_settings *settings, struct ov_state *state,
                              double *saved)
{
    struct ov_buf text = {0}, why = {0};
    struct ov_batch *held = NULL;
    bool *same = ov_calloc(settings->input_count + 1, sizeof *same);
    struct reading reading = {settings, same};
    if (state && ov_state_read(state, OV_HELD_STATE, OV_HELD_KIND, &text, &why) == OV_OK &&
        compare_inputs(settings, (struct ov_slice){text.data, text.len}, same)) {
        struct ov_alerts *alerts = ov_alerts_new(&(struct ov_alerts_setup){
            .rules = settings->rules, .rule_count = settings->rule_count,
            .has_input = has_input, .context = &reading,
        });
        (void)ov_alerts_load(alerts, (struct ov_slice){text.data, text.len}, ov_clock_ms(),
                             ov_wall_ns());
        held = list(alerts, &reading);
        *saved = ov_state_saved(state, OV_HELD_STATE);
        ov_alerts_free(alerts);
    }
    free(same);
    ov_buf_free(&text);
    ov_buf_free(&why);
    return held;
}
