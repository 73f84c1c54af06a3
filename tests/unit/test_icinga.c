/* SPDX-License-Identifier: Apache-2.0 */
/* The output `icinga`: which service an alert is about, what becomes of its state, what is sent,
 * and what each answer does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <math.h>
#include <signal.h>

#include "alert.h"
#include "http_server.h"
#include "icinga.h"
#include "icinga_answer.h"
#include "icinga_record.h"
#include "output_rig.h"

enum { NONE = -1 };

static struct ov_map no_tags;

/* ---------------------------------------------------------------- names */

static void no_complaint(void *context, size_t line, size_t column, const char *what)
{
    fail_msg("%s at %zu:%zu (%p)", what, line, column, context);
}

static void test_names(void **state)
{
    static const struct {
        const char *host, *service, *topic, *agent, *name;
        bool of_rules;
    } rows[] = {
        {"omnidaemon", "{{rule}}", "orders", "mail", "omnidaemon!backlog", true},
        {"omnidaemon", "all", "orders", "mail", "omnidaemon!all", true},
        {"h", "{{rule}} {{topic}} {{agent}}", "orders", "mail", "h!backlog orders mail", false},
        {"h", "{{rule}} {{topic}} {{agent}}", "", "mail", "h!backlog mail", false},
        {"h", "{{rule}} {{topic}} {{agent}}", "", "", "h!backlog", false},
        {"{{agent}}", "{{topic}}", "orders", "mail", "mail!orders", false},
        {"{{agent}}", "{{topic}}", "", "", "backlog!backlog", false},
        {"h", "{{topic}}", " a \t\n b ", "", "h!a b", false},
        {"h", "{{topic}}", "a!b\x01\x7f", "", "h!a_b__", false},
        {"h", "{{topic}}", "\xff\xc3\xa4", "", "h!_\xc3\xa4", false},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct icinga_names *names = icinga_names_new(rows[i].host, rows[i].service, no_complaint,
                                                      no_complaint, NULL);
        struct ov_batch *batch = ov_batch_new(&no_tags, 0);
        struct ov_sample *s = ov_batch_add(batch, &ov_alert_measurement);
        struct ov_buf name = {0};
        ov_sample_tag(batch, s, OV_ALERT_RULE, OV_SLICE("backlog"));
        ov_sample_tag(batch, s, OV_ALERT_TOPIC, ov_slice(rows[i].topic));
        ov_sample_tag(batch, s, OV_ALERT_AGENT, ov_slice(rows[i].agent));
        icinga_name_put(names, s, &name);
        if (strcmp(ov_buf_text(&name), rows[i].name) != 0 ||
            icinga_names_are_of_rules(names) != rows[i].of_rules)
            fail_msg("row %zu: %s", i, ov_buf_text(&name));
        ov_buf_free(&name);
        ov_batch_free(batch);
        icinga_names_free(names);
    }
}

static void test_long_names(void **state)
{
    struct icinga_names *names = icinga_names_new("h", "{{topic}}", no_complaint, no_complaint,
                                                  NULL);
    struct ov_batch *batch = ov_batch_new(&no_tags, 0);
    struct ov_sample *s = ov_batch_add(batch, &ov_alert_measurement);
    struct ov_buf topic = {0}, name = {0};
    (void)state;
    for (int i = 0; i < 333; i++)
        ov_buf_str(&topic, "\xe2\x82\xac");
    ov_sample_tag(batch, s, OV_ALERT_TOPIC, (struct ov_slice){topic.data, topic.len});
    icinga_name_put(names, s, &name);
    assert_int_equal(name.len, 2 + ICINGA_NAME_MAX / 3 * 3);
    ov_buf_free(&topic);
    ov_buf_free(&name);
    ov_batch_free(batch);
    icinga_names_free(names);
}

/* ---------------------------------------------------------------- states */

#define SECONDS(n) ((int64_t)(n) * 1000000000)

enum what { TOLD, LIST, LISTED, EXPECT, LIST_END, LOOK };

struct step {
    enum what what;
    const char *id;      /* of the alert; LOOK: of which service */
    int severity;        /* LOOK: what is sent of it, or NONE */
    double at;
};

struct look {
    const char *service;
    int sent;
    size_t firing;
};

static bool look_send(void *context, const struct icinga_state *state)
{
    struct look *look = context;
    if (!state->news)
        return false;
    if (ov_slice_eq(state->service, ov_slice(look->service))) {
        look->sent = (int)state->severity;
        look->firing = state->firing;
    }
    return true;
}

/* Alerts "x..." are about service x. */
static void play(const char *name, const struct step *steps)
{
    struct icinga_services *services = icinga_services_new();
    for (size_t i = 0; steps[i].id; i++) {
        const struct step *step = &steps[i];
        struct icinga_alert alert = {
            .id = ov_slice(step->id), .service = {step->id, 1}, .summary = ov_slice(step->id),
            .severity = (enum icinga_severity)step->severity, .time_ns = SECONDS(step->at),
        };
        struct look look = {step->id, NONE, 0};
        switch (step->what) {
        case TOLD:
            assert_true(icinga_services_told(services, &alert));
            break;
        case LIST:
            icinga_services_list(services, alert.time_ns);
            break;
        case LISTED:
            assert_true(icinga_services_listed(services, &alert));
            break;
        case EXPECT:
            icinga_services_expect(services, alert.service);
            break;
        case LIST_END:
            icinga_services_list_end(services);
            break;
        case LOOK:
            icinga_services_each(services, (int64_t)(step->at * 1000), look_send, &look);
            if (look.sent != step->severity)
                fail_msg("%s, step %zu: %d is sent, not %d", name, i, look.sent, step->severity);
            break;
        }
    }
    icinga_services_free(services);
}

static void test_states(void **state)
{
    (void)state;
    play("one alert", (struct step[]){
        {TOLD, "a1", 2, 0}, {LOOK, "a", 2, 0}, {LOOK, "a", NONE, 1}, {TOLD, "a1", 1, 2},
        {LOOK, "a", 1, 2}, {TOLD, "a1", 0, 3}, {LOOK, "a", 0, 3}, {LOOK, "a", NONE, 4}, {0}});
    play("a repeat is sent", (struct step[]){
        {TOLD, "a1", 2, 0}, {LOOK, "a", 2, 0}, {TOLD, "a1", 2, 5}, {LOOK, "a", 2, 5}, {0}});
    play("the worst counts", (struct step[]){
        {TOLD, "a1", 1, 0}, {LOOK, "a", 1, 0}, {TOLD, "a2", 2, 1}, {LOOK, "a", 2, 1},
        {TOLD, "b1", 1, 1}, {LOOK, "a", NONE, 1}, {TOLD, "a2", 0, 2}, {LOOK, "a", 1, 2},
        {TOLD, "a1", 0, 3}, {LOOK, "a", 0, 3}, {0}});
    play("an end that nobody knew", (struct step[]){
        {TOLD, "a1", 0, 0}, {LOOK, "a", 0, 0}, {0}});
    play("what is older changes nothing", (struct step[]){
        {LIST, "", 0, 0}, {LIST_END, "", 0, 0}, {TOLD, "a1", 0, 10}, {LOOK, "a", 0, 10},
        {TOLD, "a1", 2, 5}, {LOOK, "a", NONE, 11}, {0}});
}

static void test_lists(void **state)
{
    (void)state;
    play("of what fires and what does not", (struct step[]){
        {LIST, "", 0, 0}, {LISTED, "a1", 2, 0}, {EXPECT, "a", 0, 0}, {EXPECT, "b", 0, 0},
        {LIST_END, "", 0, 0}, {LOOK, "a", 2, 0}, {LOOK, "b", NONE, 0}, {0}});
    play("the first tells of all", (struct step[]){
        {LIST, "", 0, 0}, {EXPECT, "b", 0, 0}, {LIST_END, "", 0, 0}, {LOOK, "b", 0, 0}, {0}});
    play("after a restart", (struct step[]){
        {LIST, "", 0, 0}, {LISTED, "a1", 2, 0}, {LISTED, "a2", 1, 0}, {EXPECT, "a", 0, 0},
        {LIST_END, "", 0, 0}, {LOOK, "a", 2, 0}, {TOLD, "a1", 0, 9}, {LOOK, "a", 1, 9}, {0}});
    play("an end that was missed", (struct step[]){
        {TOLD, "a1", 2, 0}, {LOOK, "a", 2, 0}, {LIST, "", 0, 60}, {LIST_END, "", 0, 60},
        {LOOK, "a", 0, 60}, {LOOK, "a", NONE, 61}, {0}});
    play("a begin that was missed", (struct step[]){
        {LIST, "", 0, 0}, {EXPECT, "a", 0, 0}, {LIST_END, "", 0, 0}, {LOOK, "a", 0, 0},
        {LIST, "", 0, 60}, {LISTED, "a1", 1, 60}, {EXPECT, "a", 0, 60}, {LIST_END, "", 0, 60},
        {LOOK, "a", 1, 60}, {0}});
    play("a list that does not know of the end yet", (struct step[]){
        {LIST, "", 0, 0}, {LIST_END, "", 0, 0},
        {TOLD, "a1", 2, 0}, {LOOK, "a", 2, 0}, {TOLD, "a1", 0, 60}, {LOOK, "a", 0, 60},
        {LIST, "", 0, 60}, {LISTED, "a1", 2, 60}, {LIST_END, "", 0, 60}, {LOOK, "a", NONE, 60},
        {LIST, "", 0, 70}, {LIST_END, "", 0, 70}, {LOOK, "a", NONE, 70}, {0}});
    play("a list that does not know of the begin yet", (struct step[]){
        {TOLD, "a1", 2, 60}, {LOOK, "a", 2, 60}, {LIST, "", 0, 60}, {LIST_END, "", 0, 60},
        {LOOK, "a", NONE, 60}, {0}});
}

/* Beyond what is remembered nothing is made up: not even that a service is fine. */
static void test_too_many(void **state)
{
    enum { MAX = 100000 };
    struct icinga_services *services = icinga_services_new();
    struct look look = {"late", NONE, 0};
    (void)state;
    for (int i = 0; i <= MAX; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        struct icinga_alert alert = {
            .id = ov_slice(id), .service = i < MAX ? OV_SLICE("a") : OV_SLICE("late"),
            .severity = ICINGA_CRITICAL,
        };
        if (icinga_services_told(services, &alert) != (i < MAX))
            fail_msg("alert %d", i);
    }
    icinga_services_each(services, 0, look_send, &look);
    assert_int_equal(look.sent, NONE);
    icinga_services_free(services);
}

/* ---------------------------------------------------------------- an instance */

struct bench {
    struct output_rig rig;
    struct ov_queue *queue;
    struct ov_slice bytes; /* the record taken last */
};

static struct icinga *bench_start(struct bench *bench, const char *url, const char *service)
{
    *bench = (struct bench){0};
    rig_start(&bench->rig);
    struct icinga *icinga = bench->rig.state;
    icinga->url = (char *)(uintptr_t)url;
    icinga->host_name = (char *)(uintptr_t)"omnidaemon";
    icinga->service = (char *)(uintptr_t)service;
    icinga->heartbeat = (char *)(uintptr_t)"omnivigil";
    icinga->check_source = (char *)(uintptr_t)"here";
    icinga->refresh_ms = 60000;
    bench->queue = ov_queue_new(1000000, 1 << 30);
    if (omnivigil_plugin.open(icinga, bench->rig.host) != OV_OK)
        fail_msg("open: %s", ov_host_why(bench->rig.host));
    return icinga;
}

static void bench_end(struct bench *bench)
{
    rig_end(&bench->rig);
    ov_queue_free(bench->queue);
}

static void alert_add(struct ov_batch *batch, const char *id, const char *state,
                      const char *severity, const char *summary)
{
    struct ov_sample *s = ov_batch_add(batch, &ov_alert_measurement);
    ov_sample_tag(batch, s, OV_ALERT_RULE, OV_SLICE("backlog"));
    ov_sample_tag(batch, s, OV_ALERT_SEVERITY, ov_slice(severity));
    ov_sample_tag(batch, s, OV_ALERT_TOPIC, OV_SLICE("orders"));
    ov_sample_text(batch, s, OV_ALERT_STATE, ov_slice(state));
    ov_sample_text(batch, s, OV_ALERT_ID, ov_slice(id));
    ov_sample_text(batch, s, OV_ALERT_SUMMARY, ov_slice(summary));
    ov_sample_text(batch, s, OV_ALERT_DESCRIPTION, OV_SLICE("look"));
    ov_sample_float(s, OV_ALERT_STARTED_AT, 1764035523.25);
}

static void encode(struct bench *bench, struct ov_batch *batch)
{
    struct ov_emit emit = {.queue = bench->queue};
    omnivigil_plugin.encode(bench->rig.state, batch, &emit);
    ov_batch_free(batch);
}

static void tell(struct bench *bench, const char *id, const char *state, const char *severity)
{
    struct ov_batch *batch = ov_batch_new(&no_tags, ov_wall_ns());
    alert_add(batch, id, state, severity, "too long");
    encode(bench, batch);
}

/* Takes the next record; the one before must be settled. */
static bool take(struct bench *bench)
{
    struct ov_queue_loan loan;
    if (!ov_queue_take(bench->queue, (struct ov_queue_join){.records = 1}, &loan))
        return false;
    bench->bytes = loan.bytes;
    return true;
}

/* The body of the record taken last. */
static json_object *body_of(const struct bench *bench)
{
    struct icinga_record record;
    if (!icinga_record_read(bench->bytes, &record))
        fail_msg("no record: %.*s", (int)bench->bytes.len, bench->bytes.ptr);
    char *copy = ov_memdup(record.body.ptr, record.body.len);
    json_object *body = json_tokener_parse(copy);
    if (!body)
        fail_msg("no JSON: %s", copy);
    free(copy);
    return body;
}

static const char *text_in(json_object *body, const char *name)
{
    return json_object_get_string(json_object_object_get(body, name));
}

static void test_results(void **state)
{
    struct bench bench;
    (void)state;
    bench_start(&bench, "https://localhost:5665", "{{rule}}");
    struct ov_batch *batch = ov_batch_new(&no_tags, ov_wall_ns());
    alert_add(batch, "a-1", "firing", "warning", "slow \"x\"\n|\xff");
    alert_add(batch, "a-2", "firing", "critical", "gone");
    encode(&bench, batch);
    assert_true(take(&bench));
    json_object *body = body_of(&bench);
    assert_string_equal(text_in(body, "type"), "Service");
    assert_string_equal(text_in(body, "service"), "omnidaemon!backlog");
    assert_string_equal(text_in(body, "check_source"), "here");
    assert_string_equal(text_in(body, "exit_status"), "2");
    assert_string_equal(text_in(body, "performance_data"), "[ \"alerts=2\", \"critical=1\" ]");
    assert_string_equal(text_in(body, "plugin_output"),
                        "CRITICAL: 2 alerts, gone (since 2025-11-25T01:52:03.250Z)\nlook\n"
                        "WARNING: slow \"x\"\\n|\\xff");
    assert_null(json_object_object_get(body, "ttl")); /* nothing says that more will come */
    double at = json_object_get_double(json_object_object_get(body, "execution_end"));
    assert_true(fabs(at - (double)ov_wall_ns() / 1e9) < 10);
    json_object_put(body);
    bench_end(&bench);
}

/* What the agent adds to its own samples: rule `backlog`, without an alert. */
static void list(struct bench *bench)
{
    static const struct ov_field fields[] = {
        {"version", OV_TEXT, OV_GAUGE, "", ""}, {"config_valid", OV_BOOL, OV_GAUGE, "", ""},
    };
    static const struct ov_measurement agent = {"omnivigil_agent", "", NULL, fields, 0, 2};
    struct ov_batch *batch = ov_batch_new(&no_tags, ov_wall_ns());
    struct ov_sample *s = ov_batch_add(batch, &agent);
    ov_sample_text(batch, s, 0, OV_SLICE("1.2"));
    ov_sample_bool(s, 1, true);
    s = ov_batch_add(batch, &ov_rule_state_measurement);
    ov_sample_tag(batch, s, 0, OV_SLICE("backlog"));
    ov_sample_int(s, OV_RULE_STATE_FIRING, 0);
    encode(bench, batch);
}

static void test_lists_are_sent_now_and_then(void **state)
{
    static const char *const outputs[] = {"OK: omnivigil 1.2 runs", "OK: no alert"};
    struct bench bench;
    (void)state;
    struct icinga *icinga = bench_start(&bench, "https://localhost:5665", "{{rule}}");
    list(&bench);
    list(&bench);
    for (size_t i = 0; i < OV_COUNT(outputs); i++) {
        assert_true(take(&bench));
        json_object *body = body_of(&bench);
        assert_string_equal(text_in(body, "plugin_output"), outputs[i]);
        assert_string_equal(text_in(body, "ttl"), "180");
        json_object_put(body);
        ov_queue_settle(bench.queue, 0);
    }
    assert_false(take(&bench));
    icinga->refresh_ms = 0; /* all is due again */
    list(&bench);
    assert_int_equal(ov_queue_counts(bench.queue).buffered, 2);
    bench_end(&bench);
}

static void test_services_of_alerts_alone(void **state)
{
    struct bench bench;
    (void)state;
    bench_start(&bench, "https://localhost:5665", "{{rule}} {{topic}}");
    list(&bench);
    assert_int_equal(ov_queue_counts(bench.queue).buffered, 1); /* the heartbeat */
    bench_end(&bench);
}

/* ---------------------------------------------------------------- answers */

#define DONE                                                                                       \
    "200 OK\r\nContent-Length: 42\r\n\r\n{\"results\":[{\"code\":200,\"status\":\"done\"}]}"

static void test_answers(void **state)
{
    static const struct {
        long status;
        const char *body;
        enum icinga_verdict verdict;
        int64_t retry_ms;
        const char *why;
    } rows[] = {
        {200, "{\"results\":[{\"code\":200.0,\"status\":\"ok\"}]}", ICINGA_DELIVERED, 0, ""},
        {409, "{\"results\":[{\"code\":409,\"status\":\"Newer\"}]}", ICINGA_DELIVERED, 0, ""},
        {200, "{\"results\":[{\"code\":403,\"status\":\"Passive checks are disabled\"}]}",
         ICINGA_REFUSED, 0, "answers 403: Passive checks are disabled"},
        {500, "{\"results\":[{\"code\":500,\"status\":\"x\",\"errors\":[\"y\"]}]}", ICINGA_REFUSED,
         0, "answers 500: x y"},
        {503, "{\"results\":[{\"code\":503,\"status\":\"inactive\"}]}", ICINGA_LATER, 0, "inact"},
        {404, "{\"error\":404.0,\"status\":\"No objects found.\"}", ICINGA_MISSING, 0, "No obj"},
        {404, "{\"results\":[{\"code\":404,\"status\":\"?\"}]}", ICINGA_MISSING, 0, "?"},
        {404, "<html>not here", ICINGA_LATER, 30000, "is `url` that of Icinga's API"},
        {404, "", ICINGA_LATER, 30000, "(no explanation)"},
        {401, "{\"error\":401,\"status\":\"Unauthorized.\"}", ICINGA_LATER, 30000, "`password`"},
        {403, "{\"error\":403,\"status\":\"no\\u001b\"}", ICINGA_LATER, 30000, "permission"},
        {302, "", ICINGA_LATER, 30000, "redirect to nowhere"},
        {200, "hello", ICINGA_LATER, 30000, "answers 200"},
        {200, "{}", ICINGA_LATER, 30000, "is `url`"},
        {200, "{\"results\":[]}", ICINGA_LATER, 30000, "is `url`"},
        {200, "{\"results\":[{\"code\":\"200\"}]}", ICINGA_LATER, 30000, "is `url`"},
        {200, "{\"results\":[{\"code\":1e300}]}", ICINGA_LATER, 30000, "is `url`"},
        {200, "{\"results\":[7]}", ICINGA_LATER, 30000, "is `url`"},
        {200, "{\"results\":{\"code\":200}}", ICINGA_LATER, 30000, "is `url`"},
        {400, "{\"error\":400,\"status\":\"bad\"}", ICINGA_LATER, 30000, "bad"},
        {429, "", ICINGA_LATER, 0, "answers 429"},
        {500, "", ICINGA_LATER, 0, "answers 500"},
        {503, "{\"error\":503,\"status\":\"soon\"}", ICINGA_LATER, 0, "soon"},
    };
    struct icinga_answer answer = {0};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct post_answer raw = {.status = rows[i].status, .body = ov_slice(rows[i].body),
                                  .location = ""};
        icinga_answer_read(&answer, &raw);
        if (answer.verdict != rows[i].verdict || answer.retry_ms != rows[i].retry_ms ||
            !strstr(ov_buf_text(&answer.why), rows[i].why))
            fail_msg("row %zu: verdict %d, after %jd ms, %s", i, (int)answer.verdict,
                     (intmax_t)answer.retry_ms, ov_buf_text(&answer.why));
    }
    ov_buf_free(&answer.why);
}

/* An older state is never sent after a newer one was made, nor is one that was refused in the
 * way of others. */
static void test_the_newest_state_wins(void **state)
{
    static const char *const answers[] = {
        "503 Busy\r\nContent-Length: 0\r\n\r\n", DONE,
        "404 No\r\nContent-Length: 26\r\n\r\n{\"error\":404,\"status\":\"no\"}", DONE, NULL,
    };
    static const enum ov_sent expected[] = {OV_RETRY, OV_SUPERSEDED, OV_SENT, OV_SENT, OV_SENT};
    struct http_server server = {0};
    struct bench bench;
    struct ov_outcome outcome;
    char url[64];
    (void)state;
    http_server_start(&server, NULL, 0, answers);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
    bench_start(&bench, url, "{{rule}}");
    tell(&bench, "a-1", "firing", "critical");
    assert_true(take(&bench));
    for (size_t i = 0; i < OV_COUNT(expected); i++) {
        enum ov_sent sent = rig_send(&bench.rig, bench.bytes, &outcome);
        if (sent != expected[i] || outcome.rejected != (i == 3))
            fail_msg("send %zu: %d, %ju refused, %s", i, (int)sent, (uintmax_t)outcome.rejected,
                     ov_host_why(bench.rig.host));
        if (i == 0) {
            tell(&bench, "a-1", "resolved", "critical");
            tell(&bench, "a-2", "firing", "warning"); /* so this of the three counts */
            continue;
        }
        ov_queue_settle(bench.queue, 0);
        if (i == 1) {
            assert_true(take(&bench));
            assert_int_equal(rig_send(&bench.rig, bench.bytes, &outcome), OV_SUPERSEDED);
            ov_queue_settle(bench.queue, 0);
        } else {
            tell(&bench, "a-2", i == 2 ? "repeat" : "resolved", "warning");
        }
        assert_true(take(&bench));
    }
    assert_int_equal(http_server_count(&server), 4);
    assert_non_null(strstr(http_server_body(&server, 1), "\"exit_status\":1"));
    assert_non_null(strstr(http_server_body(&server, 3), "\"exit_status\":0"));
    bench_end(&bench);
    http_server_end(&server);
}

static void test_records(void **state)
{
    static const char *const bad[] = {
        "", "icinga", "icinga ", "icinga 1 h!s", "icinga 1 h!s\n", "icinga  h!s\n{}",
        "icinga 1h!s\n{}", "icinga 1 hs\n{}", "icinga 1 h!s\nx", "webhook 1 h!s\n{}",
    };
    struct icinga_record record;
    (void)state;
    for (size_t i = 0; i < OV_COUNT(bad); i++)
        if (icinga_record_read(ov_slice(bad[i]), &record))
            fail_msg("taken: %s", bad[i]);
    assert_true(icinga_record_read(OV_SLICE("icinga 1-2 h!a b\n{}"), &record));
    assert_true(ov_slice_eq(record.word, OV_SLICE("1-2")));
    assert_true(ov_slice_eq(record.service, OV_SLICE("h!a b")));
    assert_true(ov_slice_eq(record.body, OV_SLICE("{}")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_lists_are_sent_now_and_then),
        cmocka_unit_test(test_services_of_alerts_alone),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_the_newest_state_wins),
        cmocka_unit_test(test_records),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("icinga", tests, NULL, NULL);
}
