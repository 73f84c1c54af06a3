/* SPDX-License-Identifier: Apache-2.0 */
#include "icinga_answer.h"
#include "json.h"
#include "webhook_text.h"

enum {
    SLOW_RETRY_MS = 30 * 1000,
    WORDS_MAX = 300, /* of what Icinga says */
};

/* What Icinga says, taken out of its JSON. */
struct words {
    struct json_object *whole;
    bool results;          /* the code is about our object, not about the request */
    long code;             /* 0: it does not say */
    struct ov_slice text, detail; /* in `whole` */
};

static long code_of(struct json_object *object, const char *name)
{
    double code = json_get_double(object, name);
    return code >= 100 && code < 1000 ? (long)code : 0;
}

static struct words words_read(struct ov_slice body)
{
    const char *why;
    struct json_object *results, *errors;
    struct words words = {.whole = body.len ? json_read(body, &why) : NULL};
    struct json_object *about = words.whole;
    if (!json_object_is_type(words.whole, json_type_object))
        return words;
    if (json_object_object_get_ex(words.whole, "results", &results) &&
        json_object_is_type(results, json_type_array) && json_object_array_length(results)) {
        about = json_object_array_get_idx(results, 0);
        words.results = json_object_is_type(about, json_type_object);
        about = words.results ? about : words.whole;
    }
    words.code = code_of(about, words.results ? "code" : "error");
    words.text = json_get_text(about, "status");
    if (json_object_object_get_ex(about, "errors", &errors) &&
        json_object_is_type(errors, json_type_array) && json_object_array_length(errors)) {
        struct json_object *first = json_object_array_get_idx(errors, 0);
        if (json_object_is_type(first, json_type_string))
            words.detail = (struct ov_slice){json_object_get_string(first),
                                             (size_t)json_object_get_string_len(first)};
    }
    return words;
}

static void put_words(struct ov_buf *out, const struct words *words)
{
    if (!words->text.len && !words->detail.len)
        ov_buf_str(out, "(no explanation)");
    ov_buf_escaped(out, text_prefix(words->text, WORDS_MAX));
    if (words->text.len && words->detail.len)
        ov_buf_char(out, ' ');
    ov_buf_escaped(out, text_prefix(words->detail, WORDS_MAX));
}

static void later_slowly(struct icinga_answer *out, const char *advice)
{
    out->verdict = ICINGA_LATER;
    if (out->retry_ms < SLOW_RETRY_MS)
        out->retry_ms = SLOW_RETRY_MS;
    ov_buf_str(&out->why, advice);
}

/* About the object alone. */
static void judge_result(struct icinga_answer *out, long code)
{
    if ((code >= 200 && code < 300) || code == 409)
        out->verdict = ICINGA_DELIVERED;
    else if (code == 404)
        out->verdict = ICINGA_MISSING;
    else if (code == 503)
        out->verdict = ICINGA_LATER;
    else
        out->verdict = ICINGA_REFUSED;
}

static void judge_request(struct icinga_answer *out, const struct post_answer *answer,
                          const struct words *words)
{
    long status = answer->status;
    out->verdict = ICINGA_LATER;
    if (status >= 300 && status < 400) {
        ov_buf_printf(&out->why, ", a redirect to %s",
                      *answer->location ? answer->location : "nowhere");
        later_slowly(out, ", which is not followed: set `url` to the server's own address");
    } else if (status == 401) {
        later_slowly(out, "; check `user` and `password`, or `tls.cert`, against Icinga's ApiUser");
    } else if (status == 403) {
        later_slowly(out, "; give the ApiUser the permission actions/process-check-result");
    } else if (status == 404 && words->code == 404) {
        out->verdict = ICINGA_MISSING;
    } else if (!post_status_is_passing(status)) {
        later_slowly(out, "; is `url` that of Icinga's API, such as https://icinga:5665?");
    }
}

void icinga_answer_read(struct icinga_answer *out, const struct post_answer *answer)
{
    struct words words = words_read(answer->body);
    *out = (struct icinga_answer){.retry_ms = answer->retry_after_ms, .why = out->why};
    ov_buf_reset(&out->why);
    long code = words.results && words.code ? words.code : answer->status;
    ov_buf_printf(&out->why, "answers %ld: ", code);
    put_words(&out->why, &words);
    if (words.results && words.code)
        judge_result(out, words.code);
    else
        judge_request(out, answer, &words);
    json_object_put(words.whole);
}
