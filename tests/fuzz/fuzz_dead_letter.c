/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a dead letter: what is called valid JSON is so to json-c as well, an event to be
 * published is a valid object, made the same way again from itself, and masking leaves valid text. */
#include <stdlib.h>

#include "dead_letter.h"
#include "failure.h"
#include "json.h"
#include "json_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ov_slice slice(const struct ov_buf *buf)
{
    return (struct ov_slice){buf->data, buf->len};
}

static void mask(struct ov_slice text)
{
    static struct ov_slice patterns[] = {{"*a*", 3}};
    static const struct ov_list list = {patterns, 1};
    struct ov_buf out = {0};
    json_text_mask(&out, text, &list);
    if (!json_text_is_valid(slice(&out)))
        abort();
    ov_buf_free(&out);
}

static void publish(struct dead_letter *letter)
{
    struct ov_buf event = {0}, wrapped = {0}, again = {0};
    dead_letter_event(letter, &event);
    if (!json_text_is_valid(slice(&event)))
        abort();
    ov_buf_str(&wrapped, "{\"retry_count\": 0, \"failed_message\": ");
    ov_buf_slice(&wrapped, slice(&event));
    ov_buf_char(&wrapped, '}');
    dead_letter_read(letter, slice(&wrapped));
    if (letter->flaw)
        abort();
    dead_letter_event(letter, &again);
    struct ov_slice attempts = json_text_member(slice(&again), "delivery_attempts");
    if (json_text_count(attempts) != 0)
        abort();
    ov_buf_free(&event);
    ov_buf_free(&wrapped);
    ov_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = ov_memdup(data, size);
    struct ov_slice input = {text, size};
    struct dead_letter letter = {0};
    struct ov_buf pattern = {0};
    const char *why;
    if (json_text_is_valid(input)) {
        mask(input);
        struct json_object *value = json_read(input, &why);
        if (why && strstr(why, "nesting") == NULL)
            abort();
        json_object_put(value);
    }
    dead_letter_read(&letter, input);
    if (!letter.flaw)
        publish(&letter);
    failure_pattern(&pattern, input);
    if (!failure_class(input, input))
        abort();
    ov_buf_free(&pattern);
    dead_letter_free(&letter);
    free(text);
    return 0;
}
