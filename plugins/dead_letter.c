/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "dead_letter.h"
#include "json.h"
#include "json_text.h"

/* Where a decoded text goes; the buffer moves while it grows, so slices are made at the end. */
struct place {
    struct ov_slice *slice;
    size_t begin, len;
};

static struct place decode(struct dead_letter *letter, struct ov_slice *slice,
                           struct ov_slice value)
{
    struct place place = {.slice = slice, .begin = letter->text.len};
    json_text_decode(value, &letter->text);
    place.len = letter->text.len - place.begin;
    return place;
}

static double number(struct ov_slice value)
{
    const char *why;
    double read = (double)NAN;
    if (value.len == 0 || value.len > 40)
        return read;
    struct json_object *json = json_read(value, &why);
    if (json_object_is_type(json, json_type_double) || json_object_is_type(json, json_type_int))
        read = json_object_get_double(json);
    json_object_put(json);
    return read;
}

static bool is_object(struct ov_slice value)
{
    return value.len && *value.ptr == '{';
}

void dead_letter_read(struct dead_letter *letter, struct ov_slice data)
{
    struct ov_buf text = letter->text;
    ov_buf_reset(&text);
    *letter = (struct dead_letter){.retries = -1, .failed_at = (double)NAN, .text = text};
    if (!json_text_is_valid(data)) {
        letter->flaw = data.len ? "it is no JSON" : "it has no field `data`";
        return;
    }
    struct json_walk walk = json_walk(data);
    struct ov_slice key, value, parts[6] = {{NULL, 0}};
    static const char *const names[] = {"failed_message", "original_stream", "original_id",
                                        "error", "retry_count", "failed_at"};
    while (json_walk_next(&walk, &key, &value))
        for (size_t i = 0; i < OV_COUNT(names); i++)
            if (json_text_key_is(key, names[i]))
                parts[i] = value;
    letter->message = parts[0];
    struct ov_slice task_id = json_text_member(parts[0], "task_id");
    struct place places[] = {
        decode(letter, &letter->stream, parts[1]),
        decode(letter, &letter->original_id, parts[2]),
        decode(letter, &letter->error, parts[3]),
        decode(letter, &letter->task_id, task_id),
    };
    for (size_t i = 0; i < OV_COUNT(places); i++)
        if (places[i].len)
            *places[i].slice = (struct ov_slice){letter->text.data + places[i].begin,
                                                 places[i].len};
    letter->retries = json_text_count(parts[4]);
    letter->failed_at = number(parts[5]);
    if (!is_object(letter->message))
        letter->flaw = letter->message.len ? "its event is no object" : "it holds no event";
}

/* What the reclaim loop added to it was the number of retries. */
static int64_t first_attempts(const struct dead_letter *letter, struct ov_slice value)
{
    int64_t attempts = json_text_count(value);
    return letter->retries > 0 && attempts > letter->retries ? attempts - letter->retries : 0;
}

void dead_letter_event(const struct dead_letter *letter, struct ov_buf *out)
{
    struct json_walk walk = json_walk(letter->message);
    struct ov_slice key, value;
    bool counted = false;
    const char *between = "{";
    while (json_walk_next(&walk, &key, &value)) {
        if (json_text_key_is(key, "processing_consumer") || json_text_key_is(key, "agent"))
            continue;
        ov_buf_printf(out, "%s\"", between);
        ov_buf_slice(out, key);
        ov_buf_str(out, "\": ");
        if (json_text_key_is(key, "delivery_attempts")) {
            ov_buf_int(out, first_attempts(letter, value));
            counted = true;
        } else {
            ov_buf_slice(out, value);
        }
        between = ", ";
    }
    if (!counted) /* without it OmniDaemon can neither retry the event nor give it up */
        ov_buf_printf(out, "%s\"delivery_attempts\": 0", between);
    ov_buf_char(out, '}');
}

void dead_letter_free(struct dead_letter *letter)
{
    ov_buf_free(&letter->text);
}
