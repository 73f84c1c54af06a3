/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON objects OmniDaemon writes to its two metrics streams and to metrics.json, as a handful
 * of fields. A scanner reads the form Python's json.dumps gives them at several million a second;
 * whatever it does not take for certain is left to json-c. NaN and Infinity count as no number.
 */
#ifndef EVENT_H
#define EVENT_H

#include "omnivigil.h"

struct json_object;

enum event_kind {
    EVENT_OTHER,
    EVENT_TASK_RECEIVED, EVENT_TASK_PROCESSED, EVENT_TASK_FAILED, EVENT_AGENT_STATE_CHANGE,
    EVENT_BUS_PROCESSED, EVENT_BUS_RECLAIM_ATTEMPT, EVENT_BUS_RECLAIMED, EVENT_BUS_DLQ_PUSH,
};

/* Absent texts are empty slices, absent numbers NaN; a value of another type than its field's
 * counts as absent, except that an `error` that is no string is kept as its JSON text. Of a key
 * that occurs twice the last holds. Escapes are decoded to UTF-8 (a lone surrogate becomes
 * U+FFFD, \u0000 a NUL); bytes beyond ASCII are as they were sent, valid or not. */
struct event {
    enum event_kind kind;
    struct ov_slice topic, agent, group, consumer, runner_id, task_id, msg_id, error,
        error_type, agent_name, old_state, new_state;
    double processing_time_sec, timestamp;
};

struct event_reader; /* scratch memory of one reader; not shared between threads */
struct event_reader *event_reader_new(void);
void event_reader_free(struct event_reader *reader);

/* What json-c is asked to take apart; a larger object that the scanner declines is not read. */
#define EVENT_PARSE_MAX ((size_t)256 * 1024)

/* Reads one object. False where it is not a JSON object; `event` is then empty. The slices of
 * `event` live until the next call with this reader, and as long as `json`. */
bool event_read(struct event_reader *reader, struct ov_slice json, struct event *event);
/* The same by json-c alone: what event_read falls back to, and is tested against. */
bool event_parse(struct event_reader *reader, struct ov_slice json, struct event *event);
/* The same from an object that json-c has read already; the slices live as long as it does. */
bool event_from_object(struct json_object *object, struct event *event);

#endif
