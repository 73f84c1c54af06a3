/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a record to a request, and what its answer means:
 *
 *     2xx                       delivered
 *     408, 425, 429, 5xx, none  later, not before its Retry-After
 *     3xx                       later, slowly: a person has to correct the address
 *     other 4xx                 never: dropped, counted and logged
 *
 * A record whose alerts all have a newer state in a later one is not sent any more, so that a
 * receiver that was away is told how things are, not how they were. Known are the records of this
 * process, which are newer than all that a queue on disk brought along.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#include "hmac.h"
#include "webhook.h"
#include "webhook_record.h"
#include "webhook_text.h"

enum {
    WORDS_MAX = 200,       /* of what a receiver says */
    PART_MIN = 8,          /* a shorter part of an address gives nothing away */
    SECRET_MIN = 4,        /* and a shorter secret is none */
    SLOW_RETRY_MS = 30000,
};

/* ---------------------------------------------------------------- what may be logged */

static bool holds(struct ov_slice text, struct ov_slice secret, size_t least)
{
    return secret.len >= least && secret.len <= text.len &&
           memmem(text.ptr, text.len, secret.ptr, secret.len);
}

/* Whether a part of the address that follows the host stands in `text`. */
static bool holds_address(const struct webhook *w, struct ov_slice text)
{
    const char *at = strstr(w->target.target, "://");
    at = at ? at + 3 + strcspn(at + 3, "/?") : "";
    if (holds(text, ov_slice(at), 2))
        return true;
    while (*at) {
        size_t len = strcspn(at, "/?&=#");
        if (holds(text, (struct ov_slice){at, len}, PART_MIN))
            return true;
        at += len + (at[len] != '\0');
    }
    return false;
}

static bool holds_secret(const struct webhook *w, struct ov_slice text)
{
    const char *const secrets[] = {w->token, w->password, w->hmac_key, w->routing_key,
                                   w->target.password};
    for (size_t i = 0; i < OV_COUNT(secrets); i++)
        if (secrets[i] && holds(text, ov_slice(secrets[i]), SECRET_MIN))
            return true;
    for (size_t i = 0; i < w->headers.count; i++)
        if (holds(text, w->headers.items[i].value, SECRET_MIN))
            return true;
    return holds_address(w, text);
}

/* What a person is to read of an answer: its beginning, in one line. */
static const char *words(const struct webhook *w, const struct post_answer *answer,
                         struct ov_buf *out)
{
    struct ov_slice body = answer->body;
    if (!body.len || answer->html)
        return "(no explanation)";
    if (holds_secret(w, body))
        return "(its explanation repeats a secret)";
    body = text_prefix(body, WORDS_MAX);
    for (size_t i = 0; i < body.len; i++)
        ov_buf_char(out, strchr("\r\n", body.ptr[i]) ? ' ' : body.ptr[i]);
    return ov_buf_text(out);
}

/* ---------------------------------------------------------------- answers */

/* A connector of Teams answers 200 also when Teams itself had too much. */
static bool is_late_refusal(const struct webhook *w, const struct post_answer *answer)
{
    return w->kind == &webhook_teams && holds(answer->body, OV_SLICE("returned HTTP error 429"), 1);
}

static enum ov_sent judge(const struct webhook *w, const struct post_answer *answer,
                          struct ov_outcome *outcome)
{
    long status = answer->status;
    bool late = is_late_refusal(w, answer);
    if (status >= 200 && status < 300 && !late)
        return OV_SENT;
    struct ov_buf said = {0};
    const char *advice = "";
    enum ov_sent sent = OV_RETRY;
    outcome->retry_ms = answer->retry_after_ms;
    if (status >= 300 && status < 400) {
        outcome->retry_ms = SLOW_RETRY_MS;
        advice = "; a redirect is not followed: set `url` to where it leads";
    } else if (!late && status >= 400 && !post_status_is_passing(status)) {
        sent = OV_REJECTED;
        if (status == 401 || status == 403 || status == 404 || status == 410)
            advice = "; check `url` and what the receiver knows us by";
    }
    ov_fail(w->host, "%s answers %ld: %s%s", w->target.shown, status, words(w, answer, &said),
            advice);
    ov_buf_free(&said);
    return sent;
}

/* ---------------------------------------------------------------- requests */

/* Waits for what the rate allows; false when that takes too long, or the agent stops. */
static bool rate_wait(struct webhook *w, struct ov_outcome *outcome)
{
    int64_t now = ov_clock_ms(), wait = w->next_ms - now;
    int64_t left = ov_host_deadline(w->host) - now;
    if (wait > left / 2) {
        outcome->retry_ms = wait;
        ov_fail(w->host, "`rate` and `timeout` leave no time for a delivery");
        return false;
    }
    struct pollfd stop = {.fd = ov_host_stop_fd(w->host), .events = POLLIN};
    while (wait > 0 && !ov_host_stopping(w->host)) {
        poll(&stop, 1, (int)wait);
        wait = w->next_ms - ov_clock_ms();
    }
    if (ov_host_stopping(w->host)) {
        ov_fail(w->host, "stopped while messages wait");
        return false;
    }
    w->next_ms = ov_clock_ms() + 1000 / w->rate;
    return true;
}

static int request(struct webhook *w, const struct record *record, struct post_answer *answer)
{
    struct ov_slice body = record->body;
    char stamp[32], delivery[96], timestamp[96], signature[128], digest[SHA256_HEX + 1];
    if (w->kind->keyed) {
        ov_buf_reset(&w->sent);
        routing_add(&w->sent, w->routing_key, body);
        body = (struct ov_slice){w->sent.data, w->sent.len};
    }
    snprintf(stamp, sizeof stamp, "%" PRId64, ov_wall_ns() / 1000000000);
    snprintf(delivery, sizeof delivery, "X-Omnivigil-Delivery: %.*s", DELIVERY_ID_LEN,
             record->delivery.ptr);
    snprintf(timestamp, sizeof timestamp, "X-Omnivigil-Timestamp: %s", stamp);
    const char *headers[] = {delivery, timestamp, NULL, NULL};
    if (w->hmac_key) {
        if (!hmac_hex(ov_slice(w->hmac_key), stamp, body, digest))
            return ov_fail(w->host, "libcrypto cannot sign");
        snprintf(signature, sizeof signature, "X-Omnivigil-Signature: sha256=%s", digest);
        headers[2] = signature;
    }
    return post_send_with(w->post, headers, body, answer);
}

static enum ov_sent deliver(struct webhook *w, const struct record *record,
                            struct ov_outcome *outcome)
{
    struct post_answer answer;
    if (!rate_wait(w, outcome))
        return OV_RETRY;
    switch (request(w, record, &answer)) {
    case OV_OK:
        return judge(w, &answer, outcome);
    case OV_STOPPED:
        ov_fail(w->host, "stopped before %s answered", w->target.shown);
        return OV_RETRY;
    default:
        return OV_RETRY;
    }
}

static bool is_superseded(const struct webhook *w, const struct record *record)
{
    struct ov_slice alerts = record->alerts;
    bool any = false;
    for (struct ov_slice alert; record_alert(&alerts, &alert); any = true)
        if (memory_ask(w->newest, alert, record->delivery) != MEMORY_OTHER)
            return false;
    return any;
}

enum ov_sent webhook_send(void *state, struct ov_slice bytes, struct ov_outcome *outcome)
{
    struct webhook *w = state;
    struct record record;
    if (!record_read(bytes, &record)) {
        ov_fail(w->host, "what waits in the queue is no message of this output");
        return OV_REJECTED;
    }
    if (!ov_slice_eq(record.format, ov_slice(w->kind->name))) {
        ov_fail(w->host, "a message waits in the format %.*s, which is not sent as %s",
                (int)record.format.len, record.format.ptr, w->kind->name);
        return OV_REJECTED;
    }
    if (is_superseded(w, &record)) {
        ov_fail(w->host, "left out, since a newer state of the same alert waits behind it");
        return OV_SUPERSEDED;
    }
    enum ov_sent sent = deliver(w, &record, outcome);
    for (struct ov_slice alert; sent != OV_RETRY && record_alert(&record.alerts, &alert);)
        memory_forget(w->newest, alert, record.delivery);
    return sent;
}
