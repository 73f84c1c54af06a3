/* SPDX-License-Identifier: Apache-2.0 */
/* OmniDaemon's names and times. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "omni.h"

static void expect(struct ov_slice got, const char *want)
{
    if (!ov_slice_eq(got, ov_slice(want)))
        fail_msg("%.*s instead of %s", (int)got.len, got.ptr, want);
}

static void test_keys(void **state)
{
    const struct ov_slice topic = OV_SLICE("eu:orders"), agent = OV_SLICE("a b"), none = {NULL, 0};
    struct ov_buf key = {0};
    (void)state;
    expect(omni_stream_key(&key, topic), "omni-stream:eu:orders");
    expect(omni_stream_key(&key, OV_SLICE("")), "omni-stream:");
    expect(omni_group_name(&key, topic, agent), "group:eu:orders:a b");
    expect(omni_dlq_key(&key, OV_SLICE("group:eu:orders:a b")), "omni-dlq:group:eu:orders:a b");
    expect(omni_storage_key(&key, "omni", "topics", none, none), "omni:topics");
    expect(omni_storage_key(&key, "my:prefix", "agents:topic", topic, none),
           "my:prefix:agents:topic:eu:orders");
    expect(omni_storage_key(&key, "omni", "agent", topic, agent), "omni:agent:eu:orders:a b");
    expect(omni_storage_key(&key, "omni", "agent", OV_SLICE(""), OV_SLICE("")), "omni:agent::");
    expect(omni_config_key(&key, "omni", "_omnidaemon_start_time", none),
           "omni:config:_omnidaemon_start_time");
    expect(omni_config_key(&key, "p", "_subscription_active:", OV_SLICE("group:t:a")),
           "p:config:_subscription_active:group:t:a");
    struct ov_slice bytes = omni_stream_key(&key, (struct ov_slice){"a\0b", 3});
    assert_int_equal(bytes.len, 15);
    ov_buf_free(&key);
}

static void test_group_agent(void **state)
{
    static const struct {
        const char *group, *topic, *agent; /* NULL: a custom name */
    } rows[] = {
        {"group:t:a", "t", "a"},
        {"group:a:b:c", "a", "b:c"},
        {"group:a:b:c", "a:b", "c"},
        {"group:eu:orders:a:b", "eu:orders", "a:b"},
        {"group::a", "", "a"},
        {"group:t::", "t", ":"},
        {"group:t:", "t", NULL}, /* no agent is called so */
        {"group:t", "t", NULL},
        {"group:", "", NULL},
        {"group:t:a", "t:a", NULL},
        {"group:t:a", "x", NULL},
        {"group:ta:a", "t", NULL},
        {"group:t.a", "t", NULL},
        {"Group:t:a", "t", NULL},
        {"billing", "t", NULL},
        {"", "", NULL},
        {"t:a", "t", NULL},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_slice agent = {NULL, 0};
        bool is = omni_group_agent(ov_slice(rows[i].group), ov_slice(rows[i].topic), &agent);
        if (is != (rows[i].agent != NULL) || (is && !ov_slice_eq(agent, ov_slice(rows[i].agent))))
            fail_msg("%s on %s: %.*s", rows[i].group, rows[i].topic, (int)agent.len, agent.ptr);
    }
}

static void test_age(void **state)
{
    static const int64_t now = INT64_C(1700000000000), day = 86400000;
    const struct {
        uint64_t at;
        double age; /* -1: none */
    } rows[] = {
        {(uint64_t)now, 0},
        {(uint64_t)now - 1500, 1.5},
        {(uint64_t)now + 1, 0}, /* another host's clock */
        {(uint64_t)(now + day), 0},
        {(uint64_t)(now + day + 1), -1},
        {UINT64_C(1000000000000), 700000000},
        {UINT64_C(999999999999), -1},
        {1, -1},
        {0, -1},
        {UINT64_MAX, -1},
        {INT64_MAX, -1},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        double age = omni_age(now, rows[i].at);
        if (rows[i].age < 0 ? !isnan(age) : age != rows[i].age)
            fail_msg("%ju: %g", (uintmax_t)rows[i].at, age);
    }
    assert_true(isnan(omni_age(-1, (uint64_t)now)));
    assert_true(isnan(omni_age(0, (uint64_t)now)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_group_agent),
        cmocka_unit_test(test_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
