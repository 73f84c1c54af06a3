/* SPDX-License-Identifier: Apache-2.0 */
/* The output `webhook`: what each service is sent, that nothing from outside breaks a message or
 * makes it too large, which deliveries are the same, and what an answer does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <math.h>
#include <signal.h>
#include <unistd.h>

#include "alert.h"
#include "hmac.h"
#include "http_server.h"
#include "output_rig.h"
#include "utf8.h"
#include "webhook.h"
#include "webhook_record.h"
#include "webhook_text.h"

enum { JSON, SLACK, DISCORD, TEAMS, ALERTMANAGER, PAGERDUTY, TEMPLATE, FORMATS };

/* ---------------------------------------------------------------- an instance and its queue */

struct bench {
    struct output_rig rig;
    struct ov_slice measurements[2];
    struct ov_queue *queue;
    struct ov_slice bytes; /* the record taken last */
    struct record record;
};

static struct webhook *bench_open(struct bench *bench, int format, const char *url)
{
    *bench = (struct bench){.measurements = {OV_SLICE("omnidaemon_alert"), OV_SLICE("test*")}};
    rig_start(&bench->rig);
    struct webhook *w = bench->rig.state;
    w->url = (char *)(uintptr_t)url;
    w->format = format;
    w->batch = 20;
    w->rate = 10000;
    w->expire_ms = 86400000;
    w->source = (char *)(uintptr_t)"here";
    w->routing_key = (char *)(uintptr_t)"R\"KEY";
    w->measurements = (struct ov_list){bench->measurements, 2};
    bench->queue = ov_queue_new(1000000, 1 << 30);
    return w;
}

static struct webhook *bench_start(struct bench *bench, int format, const char *url)
{
    struct webhook *w = bench_open(bench, format, url);
    if (omnivigil_plugin.open(w, bench->rig.host) != OV_OK)
        fail_msg("open: %s", ov_host_why(bench->rig.host));
    return w;
}

static void bench_end(struct bench *bench)
{
    rig_end(&bench->rig);
    ov_queue_free(bench->queue);
}

static void bench_encode(struct bench *bench, struct ov_batch *batch)
{
    struct ov_emit emit = {.queue = bench->queue};
    omnivigil_plugin.encode(bench->rig.state, batch, &emit);
    ov_batch_free(batch);
}

/* Takes the next record; the one before must be settled. */
static bool bench_take(struct bench *bench)
{
    struct ov_queue_loan loan;
    if (!ov_queue_take(bench->queue, (struct ov_queue_join){.records = 1}, &loan))
        return false;
    bench->bytes = loan.bytes;
    if (!record_read(bench->bytes, &bench->record))
        fail_msg("no record: %.*s", (int)bench->bytes.len, bench->bytes.ptr);
    return true;
}

static json_object *parse(struct ov_slice text)
{
    char *copy = ov_memdup(text.ptr, text.len);
    enum json_tokener_error error;
    json_object *value = json_tokener_parse_verbose(copy, &error);
    if (error != json_tokener_success)
        fail_msg("no JSON: %s", copy);
    free(copy);
    return value;
}

/* ---------------------------------------------------------------- alerts */

/* What is NULL, or 0, is as in alert_add. */
struct alert {
    const char *state, *id, *severity, *summary, *description, *topic;
    double started_at;
};
#define ALERT(...) ((struct alert){__VA_ARGS__})

static void text_set(struct ov_batch *batch, struct ov_sample *s, unsigned field, const char *text,
                     const char *usual)
{
    ov_sample_text(batch, s, field, ov_slice(text ? text : usual));
}

static struct ov_batch *alert_add(struct ov_batch *batch, struct alert a)
{
    struct ov_sample *s = ov_batch_add(batch, &ov_alert_measurement);
    ov_sample_tag(batch, s, OV_ALERT_RULE, OV_SLICE("backlog"));
    ov_sample_tag(batch, s, OV_ALERT_SEVERITY, ov_slice(a.severity ? a.severity : "critical"));
    ov_sample_tag(batch, s, OV_ALERT_TOPIC, ov_slice(a.topic ? a.topic : "orders"));
    text_set(batch, s, OV_ALERT_STATE, a.state, "firing");
    text_set(batch, s, OV_ALERT_ID, a.id, "a-1");
    text_set(batch, s, OV_ALERT_SUMMARY, a.summary, "too long");
    text_set(batch, s, OV_ALERT_DESCRIPTION, a.description, "look");
    text_set(batch, s, OV_ALERT_THRESHOLD, "10", NULL);
    ov_sample_float(s, OV_ALERT_VALUE, 12.5);
    double started_at = a.started_at > 0 ? a.started_at : 1764035523.25;
    ov_sample_float(s, OV_ALERT_STARTED_AT, started_at);
    if (a.state && strcmp(a.state, "resolved") == 0) {
        ov_sample_float(s, OV_ALERT_ENDED_AT, started_at + 725);
        ov_sample_float(s, OV_ALERT_DURATION, 725);
    }
    ov_sample_int(s, OV_ALERT_COUNT, 3);
    return batch;
}

static struct ov_tag site = {"data-center", {"f\"ra", 4}};
static const struct ov_map site_tags = {&site, 1};

static struct ov_batch *batch_new(void)
{
    return ov_batch_new(&site_tags, INT64_C(1764035600500000000));
}

static struct ov_batch *one(struct alert a)
{
    return alert_add(batch_new(), a);
}

/* ---------------------------------------------------------------- formats */

/* Follows "a.0.b" from `value`. */
static json_object *follow(json_object *value, const char *path)
{
    while (value && *path) {
        char name[64];
        size_t len = strcspn(path, "/");
        memcpy(name, path, len);
        name[len] = '\0';
        if (json_object_is_type(value, json_type_array))
            value = json_object_array_get_idx(value, strtoul(name, NULL, 10));
        else if (!json_object_is_type(value, json_type_object) ||
                 !json_object_object_get_ex(value, name, &value))
            return NULL;
        path += len + (path[len] != '\0');
    }
    return value;
}

#define LINES_FIRING                                                                               \
    ": too long\ndata-center f\"ra \xc2\xb7 rule backlog \xc2\xb7 topic orders\n"                  \
    "value 12.5 (threshold 10) \xc2\xb7 since 2025-11-25T01:52:03.250Z \xc2\xb7 3 series\nlook"

/* What each service's documentation requires, and what we promise. NULL: must not be there. */
static void test_formats(void **state)
{
    (void)state;
    static const struct { int format; const char *state, *path, *value; } rows[] = {
        {JSON, "firing", "version", "1"},
        {JSON, "firing", "source", "here"},
        {JSON, "firing", "alerts/0/id", "a-1"},
        {JSON, "firing", "alerts/0/state", "firing"},
        {JSON, "firing", "alerts/0/rule", "backlog"},
        {JSON, "firing", "alerts/0/severity", "critical"},
        {JSON, "firing", "alerts/0/summary", "too long"},
        {JSON, "firing", "alerts/0/description", "look"},
        {JSON, "firing", "alerts/0/value", "12.5"},
        {JSON, "firing", "alerts/0/threshold", "10"},
        {JSON, "firing", "alerts/0/count", "3"},
        {JSON, "firing", "alerts/0/started_at", "2025-11-25T01:52:03.250Z"},
        {JSON, "firing", "alerts/0/ended_at", NULL},
        {JSON, "firing", "alerts/0/time", "2025-11-25T01:53:20.500Z"},
        {JSON, "firing", "alerts/0/labels/topic", "orders"},
        {JSON, "firing", "alerts/0/labels/agent", NULL},
        {JSON, "firing", "alerts/0/labels/rule", NULL},
        {JSON, "firing", "alerts/0/labels/data-center", "f\"ra"},
        {JSON, "repeat", "alerts/0/state", "repeat"},
        {JSON, "resolved", "alerts/0/state", "resolved"},
        {JSON, "resolved", "alerts/0/ended_at", "2025-11-25T02:04:08.250Z"},
        {JSON, "resolved", "alerts/0/duration_seconds", "725"},
        {SLACK, "firing", "text", "\xf0\x9f\x94\xb4 *CRITICAL firing*" LINES_FIRING},
        {DISCORD, "firing", "content", "\xf0\x9f\x94\xb4 **CRITICAL firing**" LINES_FIRING},
        {DISCORD, "firing", "allowed_mentions/parse", "[ ]"},
        {SLACK, "resolved", "text",
         "\xe2\x9c\x85 *CRITICAL resolved*: too long\ndata-center f\"ra \xc2\xb7 rule backlog "
         "\xc2\xb7 topic orders\nvalue 12.5 (threshold 10) \xc2\xb7 from "
         "2025-11-25T01:52:03.250Z to 2025-11-25T02:04:08.250Z \xc2\xb7 lasted 12m5s \xc2\xb7 "
         "3 series\nlook"},
        {TEAMS, "firing", "type", "message"},
        {TEAMS, "firing", "attachments/0/contentType", "application/vnd.microsoft.card.adaptive"},
        {TEAMS, "firing", "attachments/0/content/type", "AdaptiveCard"},
        {TEAMS, "firing", "attachments/0/content/version", "1.2"},
        {TEAMS, "firing", "attachments/0/content/body/0/type", "TextBlock"},
        {TEAMS, "firing", "attachments/0/content/body/0/wrap", "true"},
        {ALERTMANAGER, "firing", "0/labels/alertname", "backlog"},
        {ALERTMANAGER, "firing", "0/labels/severity", "critical"},
        {ALERTMANAGER, "firing", "0/labels/topic", "orders"},
        {ALERTMANAGER, "firing", "0/labels/alert_id", "a-1"},
        {ALERTMANAGER, "firing", "0/labels/rule", NULL},
        {ALERTMANAGER, "firing", "0/labels/state", NULL},
        {ALERTMANAGER, "firing", "0/labels/data_center", "f\"ra"},
        {ALERTMANAGER, "firing", "0/annotations/summary", "too long"},
        {ALERTMANAGER, "firing", "0/annotations/value", "12.5"},
        {ALERTMANAGER, "firing", "0/startsAt", "2025-11-25T01:52:03.250Z"},
        {ALERTMANAGER, "firing", "0/endsAt", "2025-11-26T01:53:20.500Z"},
        {ALERTMANAGER, "resolved", "0/startsAt", "2025-11-25T01:52:03.250Z"},
        {ALERTMANAGER, "resolved", "0/endsAt", "2025-11-25T02:04:08.250Z"},
        {PAGERDUTY, "firing", "event_action", "trigger"},
        {PAGERDUTY, "repeat", "event_action", "trigger"},
        {PAGERDUTY, "resolved", "event_action", "resolve"},
        {PAGERDUTY, "firing", "dedup_key", "a-1"},
        {PAGERDUTY, "resolved", "dedup_key", "a-1"},
        {PAGERDUTY, "firing", "routing_key", NULL}, /* added when it is sent */
        {PAGERDUTY, "firing", "payload/summary", "too long"},
        {PAGERDUTY, "firing", "payload/source", "here"},
        {PAGERDUTY, "firing", "payload/severity", "critical"},
        {PAGERDUTY, "firing", "payload/timestamp", "2025-11-25T01:53:20.500Z"},
        {PAGERDUTY, "firing", "payload/class", "backlog"},
        {PAGERDUTY, "firing", "payload/component", "orders"},
        {PAGERDUTY, "firing", "payload/custom_details/description", "look"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct bench bench;
        bench_start(&bench, rows[i].format, "http://127.0.0.1:1/x");
        bench_encode(&bench, one(ALERT(.state = rows[i].state)));
        assert_true(bench_take(&bench));
        json_object *body = parse(bench.record.body), *value = follow(body, rows[i].path);
        const char *text = value ? json_object_get_string(value) : NULL;
        if (!rows[i].value != !text || (text && strcmp(text, rows[i].value) != 0))
            fail_msg("row %zu, %s is: %s\n%s", i, rows[i].path, text ? text : "(absent)",
                     json_object_get_string(body));
        json_object_put(body);
        ov_queue_settle(bench.queue, 0);
        assert_false(bench_take(&bench));
        bench_end(&bench);
    }
}

/* Samples that are no alerts go where they fit, apart from the alerts. */
static void test_other_samples(void **state)
{
    (void)state;
    static const struct ov_field fields[] = {{"x", OV_FLOAT, OV_GAUGE, "", ""},
                                             {"name", OV_TEXT, OV_GAUGE, "", ""}};
    static const struct ov_measurement wanted = {"test_a", "", NULL, fields, 0, 2};
    static const struct ov_measurement other = {"other", "", NULL, fields, 0, 2};
    static const uint64_t records[] = {[JSON] = 3, [SLACK] = 3, [DISCORD] = 3, [TEAMS] = 3,
                                       [ALERTMANAGER] = 1, [PAGERDUTY] = 2};
    for (int format = JSON; format <= PAGERDUTY; format++) {
        struct bench bench;
        bench_start(&bench, format, "http://127.0.0.1:1");
        ((struct webhook *)bench.rig.state)->batch = 2;
        struct ov_batch *batch = batch_new();
        ov_sample_float(ov_batch_add(batch, &other), 0, 1);
        alert_add(alert_add(batch, ALERT(.state = NULL)), ALERT(.id = "a-2"));
        for (int i = 0; i < 3; i++)
            ov_sample_float(ov_batch_add(batch, &wanted), 0, i);
        ov_batch_add(batch, &wanted); /* no value */
        bench_encode(&bench, batch);
        uint64_t count = 0;
        for (; bench_take(&bench); count++) {
            json_object_put(parse(bench.record.body));
            ov_queue_settle(bench.queue, 0);
        }
        struct ov_queue_counts counts = ov_queue_counts(bench.queue);
        if (count != records[format] || counts.collected != 6 ||
            counts.dropped_unfit != (format >= ALERTMANAGER ? 4 : 1))
            fail_msg("format %d: %ju records, %ju unfit", format, (uintmax_t)count,
                     (uintmax_t)counts.dropped_unfit);
        bench_end(&bench);
    }
}

static char *repeated(const char *text, size_t count)
{
    struct ov_buf out = {0};
    for (size_t i = 0; i < count; i++)
        ov_buf_str(&out, text);
    ov_buf_char(&out, '\0');
    return out.data;
}

static bool is_utf8(struct ov_slice text)
{
    for (size_t i = 0, len; i < text.len; i += len)
        if (!(len = ov_utf8_len(text.ptr + i, text.len - i)))
            return false;
    return true;
}

/* Whatever is in an alert, and however much of it: well-formed and within the service's limit. */
static void test_limits(void **state)
{
    (void)state;
    static const char *const bits[] = {
        "x", "\xe6\x97\xa5", "\xf0\x9f\x98\x80", "\x01", "\"", "\\", "<", "&", "*", "\n", "\xff",
        "\xed\xa0\x80", "_*[](x)`~|#", "https://example.org/a_b?c=d&e ", "<!channel> @everyone ",
        "\x7f", "\xe2\x80\xae",
    };
    static const size_t limits[] = {[JSON] = SIZE_MAX, [SLACK] = SIZE_MAX, [DISCORD] = SIZE_MAX,
                                    [TEAMS] = 28 * 1024, [ALERTMANAGER] = SIZE_MAX,
                                    [PAGERDUTY] = 512 * 1024};
    for (size_t i = 0; i < OV_COUNT(bits); i++) {
        for (int format = JSON; format <= PAGERDUTY; format++) {
            struct bench bench;
            char *text = repeated(bits[i], 20000 / strlen(bits[i]));
            char *id = repeated(bits[i], 300 / strlen(bits[i]));
            bench_start(&bench, format, "http://127.0.0.1:1");
            struct ov_batch *batch = batch_new();
            for (int n = 0; n < 5; n++)
                alert_add(batch, (struct alert){"firing", id, text, text, text, text, 1e300});
            bench_encode(&bench, batch);
            size_t count = 0;
            for (; bench_take(&bench); count++) {
                struct ov_slice body = bench.record.body;
                json_object *value = parse(body);
                bool chat = format == SLACK || format == DISCORD;
                json_object *content = !chat ? NULL : follow(value, format == SLACK ? "text"
                                                                                    : "content");
                if (!content != !chat || !is_utf8(body) || body.len > limits[format])
                    fail_msg("bit %zu, format %d: %zu bytes", i, format, body.len);
                if (content && size_in_utf16(ov_slice(json_object_get_string(content))) >
                                   (format == SLACK ? 40000 : 2000))
                    fail_msg("bit %zu, format %d: content is too long", i, format);
                if (content && (strstr(json_object_get_string(content), "<!") &&
                                format == SLACK))
                    fail_msg("bit %zu: markup", i);
                if (format == PAGERDUTY &&
                    (strlen(json_object_get_string(follow(value, "dedup_key"))) > 255 ||
                     size_in_utf16(ov_slice(json_object_get_string(
                         follow(value, "payload/summary")))) > 1024))
                    fail_msg("bit %zu: a part is too long", i);
                json_object_put(value);
                ov_queue_settle(bench.queue, 0);
            }
            if (!count || ov_queue_counts(bench.queue).sent != 5)
                fail_msg("bit %zu, format %d: %zu messages", i, format, count);
            bench_end(&bench);
            free(text);
            free(id);
        }
    }
}

static void test_text(void **state)
{
    (void)state;
    static const struct {
        enum text_style style;
        size_t most;
        bool lines;
        const char *text, *result;
    } rows[] = {
        {TEXT_SLACK, 100, false, "a & b <c> *d*\n", "a &amp; b &lt;c&gt; *d* "},
        {TEXT_SLACK, 100, false, "https://x/?a=1&b", "https://x/?a=1&amp;b"},
        {TEXT_DISCORD, 100, false, "a_b *c* @x", "a\\_b \\*c\\* @x"},
        {TEXT_DISCORD, 100, false, "see https://x/a_b, a_b", "see https://x/a_b, a\\_b"},
        {TEXT_DISCORD, 100, false, "<https://x/a_b>a_b", "\\<https://x/a_b\\>a\\_b"},
        {TEXT_DISCORD, 100, true, "a\nb\tc", "a\nb c"},
        {TEXT_TEAMS, 100, true, "a\nb", "a\n\nb"},
        {TEXT_TEAMS, 100, false, "[a](b)", "\\[a\\](b)"},
        {TEXT_SLACK, 100, false, "\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd"},
        {TEXT_SLACK, 4, false, "abcd", "abcd"},
        {TEXT_SLACK, 4, false, "abcde", "abc\xe2\x80\xa6"},
        {TEXT_SLACK, 1, false, "ab", "\xe2\x80\xa6"},
        {TEXT_SLACK, 0, false, "ab", ""},
        {TEXT_SLACK, 5, false, "&&", "&amp;"},          /* no room for an ellipsis before it */
        {TEXT_SLACK, 6, false, "&&", "&amp;\xe2\x80\xa6"},
        {TEXT_SLACK, 3, false, "\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
         "\xf0\x9f\x98\x80\xe2\x80\xa6"}, /* two units each */
        {TEXT_TEAMS, 8, false, "\"\"\"\"\"", "\"\"\xe2\x80\xa6"}, /* two bytes each in JSON */
        {TEXT_DISCORD, 4, false, "****", "\\*\xe2\x80\xa6"},
        {TEXT_SLACK, 10, false, "", ""},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf out = {0};
        struct text text = {&out, rows[i].style, 1000};
        text_bytes(&text, ov_slice(rows[i].text), rows[i].most, rows[i].lines);
        if (i != 13 && strcmp(ov_buf_text(&out), rows[i].result) != 0)
            fail_msg("row %zu: %s", i, ov_buf_text(&out));
        if (1000 - text.left > rows[i].most)
            fail_msg("row %zu: %zu used", i, 1000 - text.left);
        ov_buf_free(&out);
    }
}

static void test_times(void **state)
{
    (void)state;
    static const struct { double seconds; const char *text; } times[] = {
        {0, "1970-01-01T00:00:00.000Z"}, {1764035523.25, "2025-11-25T01:52:03.250Z"},
        {0.9996, "1970-01-01T00:00:01.000Z"}, {7258118399, "2199-12-31T23:59:59.000Z"},
        {7258118400, ""}, {-1, ""}, {1e300, ""}, {NAN, ""}, {INFINITY, ""},
    };
    static const struct { double seconds; const char *text; } durations[] = {
        {0, "0s"}, {0.4, "0s"}, {45, "45s"}, {59.6, "1m"}, {60, "1m"}, {725, "12m5s"},
        {3600, "1h"}, {12000, "3h20m"}, {86400 * 2 + 3600 * 4 + 59, "2d4h"}, {-5, "0s"},
        {NAN, "0s"}, {1e300, "11574074d1h"},
    };
    struct ov_buf out = {0};
    for (size_t i = 0; i < OV_COUNT(times); i++) {
        ov_buf_reset(&out);
        bool put = time_put(&out, times[i].seconds);
        if (put != (*times[i].text != '\0') || strcmp(ov_buf_text(&out), times[i].text) != 0)
            fail_msg("time %zu: %s", i, ov_buf_text(&out));
    }
    for (size_t i = 0; i < OV_COUNT(durations); i++) {
        ov_buf_reset(&out);
        duration_put(&out, durations[i].seconds);
        if (strcmp(ov_buf_text(&out), durations[i].text) != 0)
            fail_msg("duration %zu: %s", i, ov_buf_text(&out));
    }
    ov_buf_free(&out);
}

static void test_grouping(void **state)
{
    (void)state;
    static const struct { int format; size_t batch, least, most; } rows[] = {
        {JSON, 20, 25, 25}, {JSON, 1, 500, 500}, {JSON, 10000, 1, 1}, {SLACK, 20, 25, 25},
        {SLACK, 10000, 2, 10}, {DISCORD, 20, 30, 100}, {TEAMS, 20, 25, 25}, {TEAMS, 500, 3, 10},
        {ALERTMANAGER, 100, 5, 5}, {PAGERDUTY, 20, 500, 500},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct bench bench;
        struct ov_batch *batch = batch_new();
        struct webhook *w = bench_start(&bench, rows[i].format, "http://127.0.0.1:1");
        w->batch = (int64_t)rows[i].batch;
        for (int n = 0; n < 500; n++) {
            char id[32];
            snprintf(id, sizeof id, "alert-%03d-", n);
            alert_add(batch, ALERT(.id = id, .summary = id));
        }
        bench_encode(&bench, batch);
        size_t count = 0;
        int next = 0;
        for (; bench_take(&bench); count++) {
            char id[32];
            struct ov_slice alert;
            for (struct ov_slice lines = bench.record.alerts; record_alert(&lines, &alert);) {
                snprintf(id, sizeof id, "alert-%03d-", next++);
                assert_true(ov_slice_eq(alert, ov_slice(id)));
                assert_non_null(memmem(bench.record.body.ptr, bench.record.body.len, id, 10));
            }
            ov_queue_settle(bench.queue, 0);
        }
        if (next != 500 || count < rows[i].least || count > rows[i].most)
            fail_msg("row %zu: %d alerts in %zu messages", i, next, count);
        bench_end(&bench);
    }
}

/* ---------------------------------------------------------------- deliveries */

static void delivery_of(const char *source, struct alert a, int64_t time_ns,
                        char id[DELIVERY_ID_LEN + 1])
{
    struct bench bench;
    struct webhook *w = bench_open(&bench, JSON, "http://127.0.0.1:1");
    w->source = (char *)(uintptr_t)source;
    assert_int_equal(omnivigil_plugin.open(w, bench.rig.host), OV_OK);
    struct ov_batch *batch = ov_batch_new(NULL, time_ns);
    bench_encode(&bench, alert_add(batch, a));
    assert_true(bench_take(&bench));
    snprintf(id, DELIVERY_ID_LEN + 1, "%.*s", DELIVERY_ID_LEN, bench.record.delivery.ptr);
    bench_end(&bench);
}

/* By whichever process: the same sample has the same id, and no other one has it. */
static void test_delivery_ids(void **state)
{
    (void)state;
    const struct { const char *source; struct alert alert; int64_t time_ns; bool same; } rows[] = {
        {"here", ALERT(.state = NULL), 7, true},
        {"here", ALERT(.summary = "now worded differently"), 7, true},
        {"here", ALERT(.state = NULL), 8, false}, /* of another severity in between */
        {"there", ALERT(.state = NULL), 7, false},
        {"here", ALERT(.state = "resolved"), 7, false},
        {"here", ALERT(.state = "repeat"), 7, false},
        {"here", ALERT(.id = "a-2"), 7, false},
        {"here", ALERT(.severity = "warning"), 7, false},
    };
    char first[DELIVERY_ID_LEN + 1], id[DELIVERY_ID_LEN + 1];
    delivery_of("here", ALERT(.state = NULL), 7, first);
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        delivery_of(rows[i].source, rows[i].alert, rows[i].time_ns, id);
        if (rows[i].same != (strcmp(first, id) == 0))
            fail_msg("row %zu: %s, %s", i, first, id);
    }
    delivery_of("here", ALERT(.id = ""), 7, first);
    delivery_of("here", ALERT(.id = ""), 7, id);
    assert_string_not_equal(first, id);
}

static void test_records(void **state)
{
    (void)state;
#define ID "0123456789abcdef0123456789abcdef"
    static const struct { const char *text, *body; } rows[] = {
        {"webhook json " ID "\n\n{}", "{}"},
        {"webhook json " ID "\nalert a\nalert b\n\n", ""},
        {"webhook json " ID "\nalert \n\nx\n\ny", "x\n\ny"},
        {"", NULL}, {"\n", NULL}, {"webhook", NULL}, {"webhook json " ID, NULL},
        {"webhook json " ID "\n", NULL}, {"webhook json " ID "\n{}", NULL},
        {"webhook json 0123\n\n{}", NULL}, {"webhook json " ID "0\n\n{}", NULL},
        {"webhook json\n\n{}", NULL}, {"json " ID "\n\n{}", NULL},
        {"webhook json " ID "\nalert a", NULL}, {"webhook json " ID "\nalert \n", NULL},
        {"webhook json " ID "\nother a\n\n{}", NULL},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct record record;
        bool ok = record_read(ov_slice(rows[i].text), &record);
        if (ok != (rows[i].body != NULL) ||
            (ok && !ov_slice_eq(record.body, ov_slice(rows[i].body))))
            fail_msg("row %zu", i);
    }
}

static void test_memory(void **state)
{
    (void)state;
    struct memory *m = memory_new();
    assert_int_equal(memory_ask(m, OV_SLICE("a"), OV_SLICE("1")), MEMORY_NONE);
    memory_note(m, OV_SLICE("a"), OV_SLICE("1"));
    memory_note(m, OV_SLICE(""), OV_SLICE(""));
    memory_note(m, OV_SLICE("a"), OV_SLICE("2"));
    assert_int_equal(memory_ask(m, OV_SLICE("a"), OV_SLICE("1")), MEMORY_OTHER);
    assert_int_equal(memory_ask(m, OV_SLICE("a"), OV_SLICE("2")), MEMORY_SAME);
    assert_int_equal(memory_ask(m, OV_SLICE(""), OV_SLICE("")), MEMORY_SAME);
    memory_forget(m, OV_SLICE("a"), OV_SLICE("1"));
    assert_int_equal(memory_ask(m, OV_SLICE("a"), OV_SLICE("2")), MEMORY_SAME);
    memory_forget(m, OV_SLICE("a"), OV_SLICE("2"));
    assert_int_equal(memory_ask(m, OV_SLICE("a"), OV_SLICE("2")), MEMORY_NONE);
    memory_note(m, OV_SLICE("first"), OV_SLICE("1"));
    memory_note(m, OV_SLICE("second"), OV_SLICE("1"));
    for (int i = 0; i < MEMORY_MAX - 1; i++) { /* the oldest give way */
        char name[16];
        int len = snprintf(name, sizeof name, "%d", i);
        memory_note(m, (struct ov_slice){name, (size_t)len}, OV_SLICE("x"));
    }
    assert_int_equal(memory_ask(m, OV_SLICE("first"), OV_SLICE("1")), MEMORY_NONE);
    assert_int_equal(memory_ask(m, OV_SLICE("second"), OV_SLICE("1")), MEMORY_SAME);
    assert_int_equal(memory_ask(m, OV_SLICE("7"), OV_SLICE("y")), MEMORY_OTHER);
    memory_free(m);
    memory_free(NULL);
}

/* To Alertmanager one incident is an alert for each severity: one goes on, the other is over. */
static void test_severity(void **state)
{
    (void)state;
    static const struct { const char *severity, *state, *over; } rows[] = {
        {"warning", "firing", "critical"}, {"critical", "firing", "warning"},
        {"critical", "repeat", "warning"}, {"critical", "resolved", "warning"},
        {"info", "firing", NULL},
    };
    struct bench bench;
    bench_start(&bench, ALERTMANAGER, "http://127.0.0.1:1");
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_batch *batch = ov_batch_new(NULL, INT64_C(1764035600500000000));
        bench_encode(&bench, alert_add(batch, ALERT(.severity = rows[i].severity,
                                                    .state = rows[i].state)));
        assert_true(bench_take(&bench));
        json_object *body = parse(bench.record.body), *over = follow(body, "1/labels/severity");
        const char *severity = json_object_get_string(follow(body, "0/labels/severity"));
        if (!over != !rows[i].over ||
            (over && strcmp(json_object_get_string(over), rows[i].over) != 0) ||
            strcmp(severity, rows[i].severity) != 0 ||
            (over && strcmp(json_object_get_string(follow(body, "1/endsAt")),
                            "2025-11-25T01:53:20.500Z") != 0))
            fail_msg("row %zu: %s", i, json_object_get_string(body));
        json_object_put(body);
        ov_queue_settle(bench.queue, 0);
    }
    bench_end(&bench);
}

static void test_signature(void **state)
{
    (void)state;
    char hex[SHA256_HEX + 1];
    assert_true(sha256_hex(OV_SLICE(""), hex));
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_true(sha256_hex(OV_SLICE("abc"), hex));
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    /* printf '1764035600.{}' | openssl dgst -sha256 -hmac Jefe */
    assert_true(hmac_hex(OV_SLICE("Jefe"), "1764035600", OV_SLICE("{}"), hex));
    assert_string_equal(hex, "0906230a5767c1abd6a9459b7464d4e5ed423d3d1f4e781aaab58e18a9576b62");
}

/* ---------------------------------------------------------------- a receiver */

static const char *last_request(struct http_server *server)
{
    return ov_buf_text(&server->requests[http_server_count(server) - 1]);
}

static enum ov_sent bench_send(struct bench *bench, struct ov_outcome *outcome)
{
    enum ov_sent sent = rig_send(&bench->rig, bench->bytes, outcome);
    if (sent == OV_RETRY)
        ov_queue_put_back(bench->queue);
    else
        ov_queue_settle(bench->queue, outcome->rejected);
    return sent;
}

static void test_answers(void **state)
{
    (void)state;
    static const struct {
        int format;
        const char *answer;
        enum ov_sent sent;
        int64_t retry_ms;
        const char *says, *hides;
    } rows[] = {
        {JSON, "200 OK\r\n\r\n", OV_SENT, 0, "", NULL},
        {JSON, "204 OK\r\n\r\n", OV_SENT, 0, "", NULL},
        {PAGERDUTY, "202 Accepted\r\n\r\n{}", OV_SENT, 0, "", NULL},
        {SLACK, "200 OK\r\nContent-Type: text/html\r\n\r\nok", OV_SENT, 0, "", NULL},
        {JSON, "400 Bad\r\n\r\nno\nway", OV_REJECTED, 0, "answers 400: no way", NULL},
        {JSON, "403 No\r\n\r\n", OV_REJECTED, 0, "(no explanation); check `url`", NULL},
        {JSON, "404 No\r\n\r\nnothing at /hooks/S3CRETPATH", OV_REJECTED, 0, "repeats a secret",
         "S3CRET"},
        {JSON, "404 No\r\n\r\nunknown hook S3CRETPATH", OV_REJECTED, 0, "secret", "S3CRET"},
        {JSON, "400 No\r\n\r\nbad sig=s1gnature!", OV_REJECTED, 0, "secret", "s1gn"},
        {JSON, "401 No\r\n\r\nno such token TOKEN-SECRET", OV_REJECTED, 0, "secret", "TOKEN-"},
        {PAGERDUTY, "400 No\r\n\r\nkey R\"KEY is unknown", OV_REJECTED, 0, "secret", "KEY"},
        {JSON, "410 Gone\r\n\r\n", OV_REJECTED, 0, "410", NULL},
        {JSON, "413 Large\r\n\r\n", OV_REJECTED, 0, "413", NULL},
        {JSON, "422 No\r\n\r\n", OV_REJECTED, 0, "422", NULL},
        {JSON, "408 Late\r\n\r\n", OV_RETRY, 0, "408", NULL},
        {JSON, "425 Early\r\n\r\n", OV_RETRY, 0, "425", NULL},
        {JSON, "429 Slow\r\nRetry-After: 3\r\n\r\n", OV_RETRY, 3000, "429", NULL},
        {JSON, "429 Slow\r\n\r\n", OV_RETRY, 0, "429", NULL},
        {JSON, "500 No\r\n\r\n", OV_RETRY, 0, "500", NULL},
        {JSON, "503 No\r\nRetry-After: 7\r\n\r\n", OV_RETRY, 7000, "503", NULL},
        {JSON, "302 Found\r\nLocation: http://127.0.0.1:1/S3CRET\r\n\r\n", OV_RETRY, 30000,
         "redirect", "S3CRET"},
        {TEAMS, "200 OK\r\n\r\n1", OV_SENT, 0, "", NULL},
        {TEAMS, "200 OK\r\n\r\nWebhook message delivery failed with error: Microsoft Teams "
         "endpoint returned HTTP error 429 with ContextId x", OV_RETRY, 0, "429", NULL},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct bench bench;
        struct http_server server;
        struct ov_outcome outcome;
        char url[96];
        http_server_start(&server, NULL, 0, (const char *const[]){rows[i].answer, NULL});
        snprintf(url, sizeof url, "http://127.0.0.1:%d/hooks/S3CRETPATH?sig=s1gnature!",
                 server.port);
        struct webhook *w = bench_open(&bench, rows[i].format, url);
        w->token = (char *)(uintptr_t)"TOKEN-SECRET";
        assert_int_equal(omnivigil_plugin.open(w, bench.rig.host), OV_OK);
        bench_encode(&bench, one(ALERT(.state = NULL)));
        assert_true(bench_take(&bench));
        enum ov_sent sent = bench_send(&bench, &outcome);
        const char *why = ov_host_why(bench.rig.host);
        if (sent != rows[i].sent || outcome.retry_ms != rows[i].retry_ms ||
            !strstr(why, rows[i].says) || (rows[i].hides && strstr(why, rows[i].hides)) ||
            strstr(why, "/hooks"))
            fail_msg("row %zu: %d, %jd ms, %s", i, (int)sent, (intmax_t)outcome.retry_ms, why);
        const char *request = last_request(&server);
        assert_non_null(strstr(request, "POST /hooks/S3CRETPATH?sig=s1gnature! HTTP"));
        assert_non_null(strstr(request, "\r\nAuthorization: Bearer TOKEN-SECRET\r\n"));
        bench_end(&bench);
        http_server_end(&server);
    }
}

/* The value of a header of the last request. */
static void header_of(struct http_server *server, const char *name, char *value, size_t size)
{
    const char *at = strcasestr(last_request(server), name);
    assert_non_null(at);
    at += strlen(name) + 2;
    snprintf(value, size, "%.*s", (int)strcspn(at, "\r"), at);
}

static void test_request(void **state)
{
    (void)state;
    struct bench bench;
    struct http_server server;
    struct ov_outcome outcome;
    char url[64], stamp[32], delivery[64], again[64], signature[80], hex[SHA256_HEX + 1];
    struct ov_tag headers[] = {{"X-Api-Key", OV_SLICE("k")}, {"X-Empty", {"", 0}}};
    static const char *const answers[] = {"500 No\r\n\r\n", "202 OK\r\n\r\n", NULL};
    http_server_start(&server, NULL, 0, answers);
    snprintf(url, sizeof url, "http://u:p%%20w@127.0.0.1:%d", server.port);
    struct webhook *w = bench_open(&bench, PAGERDUTY, url);
    w->hmac_key = (char *)(uintptr_t)"key";
    w->headers = (struct ov_map){headers, 2};
    w->method = 1;
    assert_int_equal(omnivigil_plugin.open(w, bench.rig.host), OV_OK);
    bench_encode(&bench, one(ALERT(.state = NULL)));
    assert_true(bench_take(&bench));
    assert_null(memmem(bench.bytes.ptr, bench.bytes.len, "KEY", 3)); /* not kept on disk */
    assert_int_equal(bench_send(&bench, &outcome), OV_RETRY);
    header_of(&server, "X-Omnivigil-Delivery", delivery, sizeof delivery);
    assert_true(bench_take(&bench));
    assert_int_equal(bench_send(&bench, &outcome), OV_SENT);
    header_of(&server, "X-Omnivigil-Delivery", again, sizeof again);
    assert_string_equal(delivery, again);
    const char *body = strstr(last_request(&server), "\r\n\r\n") + 4;
    header_of(&server, "X-Omnivigil-Timestamp", stamp, sizeof stamp);
    header_of(&server, "X-Omnivigil-Signature", signature, sizeof signature);
    assert_true(hmac_hex(OV_SLICE("key"), stamp, ov_slice(body), hex));
    assert_int_equal(strncmp(signature, "sha256=", 7), 0);
    assert_string_equal(signature + 7, hex);
    assert_in_range(strtoll(stamp, NULL, 10), ov_wall_ns() / 1000000000 - 60,
                    ov_wall_ns() / 1000000000);
    assert_int_equal(strncmp(body, "{\"routing_key\":\"R\\\"KEY\",\"event_action\"", 38), 0);
    assert_non_null(strstr(last_request(&server), "PUT / HTTP/1.1\r\n"));
    assert_non_null(strstr(last_request(&server), "\r\nAuthorization: Basic dTpwIHc=\r\n"));
    assert_non_null(strstr(last_request(&server), "\r\nX-Api-Key: k\r\n"));
    assert_non_null(strstr(last_request(&server), "\r\nX-Empty:\r\n"));
    assert_non_null(strstr(last_request(&server), "\r\nContent-Type: application/json\r\n"));
    bench_end(&bench);
    http_server_end(&server);
}

/* The newest state of an alert makes the older ones that wait needless, not those of others. */
static void test_superseded(void **state)
{
    (void)state;
    struct bench bench;
    struct http_server server;
    struct ov_outcome outcome;
    char url[64];
    static const char *const answers[] = {"503 No\r\n\r\n", "200 OK\r\n\r\n", NULL};
    http_server_start(&server, NULL, 0, answers);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
    bench_start(&bench, JSON, url);
    bench_encode(&bench, one(ALERT(.state = NULL)));
    assert_true(bench_take(&bench));
    assert_int_equal(bench_send(&bench, &outcome), OV_RETRY);
    bench_encode(&bench, alert_add(one(ALERT(.id = "b")), ALERT(.state = "resolved")));
    bench_encode(&bench, one(ALERT(.state = "resolved", .id = "b")));
    static const struct { enum ov_sent sent; const char *holds; } rows[] = {
        {OV_SUPERSEDED, NULL}, /* a-1 fires: a-1 is resolved behind it */
        {OV_SENT, "\"a-1\""},  /* a-1 is resolved, b fires: the first is news */
        {OV_SENT, "\"b\""},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        size_t before = http_server_count(&server);
        assert_true(bench_take(&bench));
        enum ov_sent sent = bench_send(&bench, &outcome);
        bool asked = http_server_count(&server) > before;
        if (sent != rows[i].sent || asked != (rows[i].holds != NULL) ||
            (rows[i].holds && !strstr(last_request(&server), rows[i].holds)))
            fail_msg("row %zu: %d, %s", i, (int)sent, ov_host_why(bench.rig.host));
    }
    assert_false(bench_take(&bench));
    bench_encode(&bench, one(ALERT(.state = NULL))); /* nothing is remembered of what is done */
    assert_true(bench_take(&bench));
    assert_int_equal(bench_send(&bench, &outcome), OV_SENT);
    bench_end(&bench);
    http_server_end(&server);
}

static void test_rate(void **state)
{
    (void)state;
    struct bench bench;
    struct http_server server;
    struct ov_outcome outcome;
    char url[64];
    http_server_start(&server, NULL, 0, (const char *const[]){"200 OK\r\n\r\n", NULL});
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
    struct webhook *w = bench_start(&bench, JSON, url);
    w->rate = 20;
    int64_t start = ov_clock_ms();
    for (int i = 0; i < 6; i++) {
        bench_encode(&bench, one(ALERT(.state = "repeat")));
        assert_true(bench_take(&bench));
        assert_int_equal(bench_send(&bench, &outcome), OV_SENT);
    }
    assert_in_range(ov_clock_ms() - start, 245, 5000);
    w->rate = 1;
    bench.rig.timeout_ms = 1000;
    for (int i = 0; i < 2; i++) {
        bench_encode(&bench, one(ALERT(.state = "repeat")));
        assert_true(bench_take(&bench));
        assert_int_equal(bench_send(&bench, &outcome), i ? OV_RETRY : OV_SENT);
    }
    assert_in_range(outcome.retry_ms, 500, 1000);
    bench.rig.timeout_ms = 60000;
    ov_host_stop(bench.rig.host);
    assert_true(bench_take(&bench));
    start = ov_clock_ms();
    assert_int_equal(bench_send(&bench, &outcome), OV_RETRY);
    assert_in_range(ov_clock_ms() - start, 0, 400);
    bench_end(&bench);
    http_server_end(&server);
}

static void test_foreign_records(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "", "m n=1i 1\n", "webhook slack " ID "\n\n{}", "webhook json x\n\n{}",
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct bench bench;
        struct ov_outcome outcome;
        bench_start(&bench, JSON, "http://127.0.0.1:1");
        enum ov_sent sent = rig_send(&bench.rig, ov_slice(rows[i]), &outcome);
        if (sent != OV_REJECTED || !*ov_host_why(bench.rig.host))
            fail_msg("row %zu: %d", i, (int)sent);
        bench_end(&bench);
    }
}

static void test_unreachable(void **state)
{
    (void)state;
    struct bench bench;
    struct ov_outcome outcome;
    bench_start(&bench, SLACK, "http://u:pw-SECRET@127.0.0.1:1/services/SECRET/x?y=SECRET");
    bench_encode(&bench, one(ALERT(.state = NULL)));
    assert_true(bench_take(&bench));
    assert_int_equal(bench_send(&bench, &outcome), OV_RETRY);
    assert_string_not_equal(ov_host_why(bench.rig.host), "");
    assert_null(strstr(ov_host_why(bench.rig.host), "SECRET"));
    bench_end(&bench);
}

/* ---------------------------------------------------------------- the user's own template */

static void test_template_format(void **state)
{
    (void)state;
    static const struct { const char *text, *bodies[3]; } rows[] = {
        {"{{summary}} {{state}} {{tags.topic}} {{fields.value}} {{value|json}} "
         "{{tags.none|json}}\n",
         {"one firing orders 12.5 12.5 null", "two resolved orders 12.5 12.5 null"}},
        {"{{duration}}|{{duration_seconds|json}}|{{started_at}}|{{ended_at|json}}|{{series}}",
         {"|null|2025-11-25T01:52:03.250Z|null|3",
          "12m5s|725|2025-11-25T01:52:03.250Z|\"2025-11-25T02:04:08.250Z\"|3"}},
        {"{{alerts}} of {{source}}:{{#each \",\"}} {{alert_id}}{{/each}}", {"2 of here: a-1, a-2"}},
        {"{{tags.data-center|url}} {{measurement}} {{fields.count}} {{time}} {{fields.name|json}}",
         {"f%22ra omnidaemon_alert 3 2025-11-25T01:53:20.500Z null",
          "f%22ra omnidaemon_alert 3 2025-11-25T01:53:20.500Z null"}},
        {"{{rule}} {{severity}} {{threshold}} {{description}}",
         {"backlog critical 10 look", "backlog critical 10 look"}},
    };
    char path[] = "/tmp/ov.template.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct bench bench;
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_true(pwrite(fd, rows[i].text, strlen(rows[i].text), 0) > 0);
        struct webhook *w = bench_open(&bench, TEMPLATE, "http://127.0.0.1:1");
        w->template_path = path;
        if (omnivigil_plugin.open(w, bench.rig.host) != OV_OK)
            fail_msg("row %zu: %s", i, ov_host_why(bench.rig.host));
        bench_encode(&bench, alert_add(one(ALERT(.summary = "one")),
                                       ALERT(.id = "a-2", .summary = "two", .state = "resolved")));
        for (size_t k = 0; rows[i].bodies[k]; k++) {
            assert_true(bench_take(&bench));
            if (!ov_slice_eq(bench.record.body, ov_slice(rows[i].bodies[k])))
                fail_msg("row %zu: %.*s", i, (int)bench.record.body.len, bench.record.body.ptr);
            ov_queue_settle(bench.queue, 0);
        }
        assert_false(bench_take(&bench));
        bench_end(&bench);
    }
    close(fd);
    unlink(path);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats), cmocka_unit_test(test_other_samples),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_text), cmocka_unit_test(test_times),
        cmocka_unit_test(test_grouping), cmocka_unit_test(test_delivery_ids),
        cmocka_unit_test(test_records), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_severity),
        cmocka_unit_test(test_signature), cmocka_unit_test(test_answers),
        cmocka_unit_test(test_request), cmocka_unit_test(test_superseded),
        cmocka_unit_test(test_rate), cmocka_unit_test(test_foreign_records),
        cmocka_unit_test(test_unreachable), cmocka_unit_test(test_template_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
