/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a record to a request. A result whose service has a newer one behind it is not sent any
 * more, so that an Icinga that was away is told how things are, not how they were. Known are the
 * records of this process, which are newer than all that a queue on disk brought along.
 *
 * A result that Icinga refuses for its service alone, such as one it does not have, holds up no
 * other: it is dropped and said, and a later one tries again.
 */
#include <curl/curl.h>

#include "icinga.h"
#include "icinga_answer.h"
#include "icinga_record.h"

struct post *icinga_post_new(const struct icinga *icinga, const struct url *target,
                             const char *method)
{
    static const char *const headers[] = {
        "Content-Type: application/json", "Accept: application/json", NULL,
    };
    return post_new(icinga->host, &(struct post_target){
        .url = target->target,
        .user = icinga->user ? icinga->user : target->user,
        .password = icinga->user ? icinga->password : target->password,
        .headers = headers,
        .method = method,
        .tls = &icinga->tls,
    });
}

/* One request and what its answer means. OV_FAILED, with ov_fail's text, is to be tried later. */
static int request(struct icinga *icinga, struct post *post, struct ov_slice body,
                   struct icinga_answer *answer)
{
    struct post_answer raw;
    int status = post_send(post, body, &raw);
    if (status == OV_STOPPED)
        return ov_fail(icinga->host, "stopped before %s answered", icinga->target.shown);
    if (status != OV_OK)
        return status;
    icinga_answer_read(answer, &raw);
    if (answer->verdict == ICINGA_LATER)
        return ov_fail(icinga->host, "%s %s", icinga->target.shown, ov_buf_text(&answer->why));
    return OV_OK;
}

/* ---------------------------------------------------------------- a service that is missing */

/* Its name is one segment of the path. */
static bool creation_url(const struct icinga *icinga, struct ov_slice service, struct url *url)
{
    struct ov_buf path = {0};
    char *name = curl_easy_escape(NULL, service.ptr, (int)service.len);
    ov_buf_printf(&path, "/v1/objects/services/%s", name ? name : "");
    bool ok = name && url_make(url, icinga->url, ov_buf_text(&path), NULL, 0);
    curl_free(name);
    ov_buf_free(&path);
    return ok;
}

/* As request. */
static int create(struct icinga *icinga, struct ov_slice service, struct icinga_answer *answer)
{
    struct url url;
    struct ov_buf body = {0};
    if (!creation_url(icinga, service, &url))
        return ov_fail(icinga->host, "out of memory");
    ov_buf_str(&body, "{\"templates\":[");
    ov_buf_json(&body, ov_slice(icinga->create));
    ov_buf_str(&body, "]}");
    struct post *post = icinga_post_new(icinga, &url, "PUT");
    int status = post ? request(icinga, post, (struct ov_slice){body.data, body.len}, answer)
                      : OV_FAILED;
    if (status == OV_OK && answer->verdict == ICINGA_DELIVERED)
        ov_log(icinga->host, OV_INFO, "created service %.*s", (int)service.len, service.ptr);
    post_free(post);
    ov_buf_free(&body);
    url_free(&url);
    return status;
}

/* ---------------------------------------------------------------- results */

/* Delivers a result, after its service was created if need be. As request. */
static int deliver(struct icinga *icinga, const struct icinga_record *record,
                   struct icinga_answer *answer)
{
    int status = request(icinga, icinga->post, record->body, answer);
    if (status != OV_OK || answer->verdict != ICINGA_MISSING || !icinga->create)
        return status;
    status = create(icinga, record->service, answer);
    if (status != OV_OK || answer->verdict != ICINGA_DELIVERED)
        return status;
    return request(icinga, icinga->post, record->body, answer);
}

static void report(struct icinga *icinga, const struct icinga_record *record, const char *cause,
                   struct icinga_answer *answer)
{
    int len = (int)record->service.len;
    const char *name = record->service.ptr;
    if (answer->verdict == ICINGA_MISSING && !icinga->create)
        ov_problem(icinga->host, cause, "Icinga has no service %.*s, or the user lacks the "
                   "permission actions/process-check-result: define the service, set `create`, or "
                   "leave it out by `exclude`", len, name);
    else
        ov_problem(icinga->host, cause, "the result for service %.*s is dropped: Icinga %s", len,
                   name, ov_buf_text(&answer->why));
}

static enum ov_sent settle(struct icinga *icinga, const struct icinga_record *record,
                           struct icinga_answer *answer, struct ov_outcome *outcome)
{
    struct ov_buf cause = {0};
    ov_buf_str(&cause, "service ");
    ov_buf_slice(&cause, record->service);
    if (answer->verdict == ICINGA_DELIVERED) {
        memory_forget(icinga->newest, record->service, record->word);
        ov_recovered(icinga->host, ov_buf_text(&cause));
    } else { /* and stays in memory: the next one of the same state may take its time */
        report(icinga, record, ov_buf_text(&cause), answer);
        outcome->rejected = 1;
    }
    ov_buf_free(&cause);
    return OV_SENT;
}

enum ov_sent icinga_send(void *state, struct ov_slice bytes, struct ov_outcome *outcome)
{
    struct icinga *icinga = state;
    struct icinga_record record;
    struct icinga_answer answer = {0};
    if (!icinga_record_read(bytes, &record)) {
        ov_fail(icinga->host, "what waits in the queue is no result of this output");
        return OV_REJECTED;
    }
    if (memory_ask(icinga->newest, record.service, record.word) == MEMORY_OTHER) {
        ov_fail(icinga->host, "left out, since a newer state of the same service waits behind it");
        return OV_SUPERSEDED;
    }
    enum ov_sent sent = OV_RETRY;
    if (deliver(icinga, &record, &answer) == OV_OK)
        sent = settle(icinga, &record, &answer, outcome);
    else
        outcome->retry_ms = answer.retry_ms;
    ov_buf_free(&answer.why);
    return sent;
}
