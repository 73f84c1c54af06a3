/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the event scanner makes of some bytes, json-c makes the same of them. */
#include <math.h>
#include <stdlib.h>

#include "event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool number_is_same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool event_is_same(const struct event *a, const struct event *b)
{
    return a->kind == b->kind && ov_slice_eq(a->topic, b->topic) &&
           ov_slice_eq(a->agent, b->agent) && ov_slice_eq(a->group, b->group) &&
           ov_slice_eq(a->consumer, b->consumer) && ov_slice_eq(a->runner_id, b->runner_id) &&
           ov_slice_eq(a->task_id, b->task_id) && ov_slice_eq(a->error, b->error) &&
           ov_slice_eq(a->error_type, b->error_type) &&
           ov_slice_eq(a->agent_name, b->agent_name) && ov_slice_eq(a->old_state, b->old_state) &&
           ov_slice_eq(a->new_state, b->new_state) &&
           number_is_same(a->processing_time_sec, b->processing_time_sec) &&
           number_is_same(a->timestamp, b->timestamp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ov_slice json = {(const char *)data, size};
    struct event_reader *fast = event_reader_new(), *slow = event_reader_new();
    struct event a, b;
    bool read_a = event_read(fast, json, &a), read_b = event_parse(slow, json, &b);
    /* An object too large for json-c is the scanner's alone. */
    if (size <= EVENT_PARSE_MAX && (read_a != read_b || !event_is_same(&a, &b)))
        abort();
    event_reader_free(fast);
    event_reader_free(slow);
    return 0;
}
