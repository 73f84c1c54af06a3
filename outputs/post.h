/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP POST for outputs: one connection that is kept alive, requests that end at the instance's
 * deadline or when it is asked to stop, no redirects, TLS verified unless told otherwise. A name
 * is looked up for each connection anew. Of an answer it keeps what the outputs judge by. One
 * thread at a time.
 */
#ifndef POST_H
#define POST_H

#include "omnivigil.h"

struct post;

struct post_tls {
    char *ca, *cert, *key; /* files, PEM; NULL: the system's authorities, no certificate */
    bool insecure;
};
/* The rows of a `tls` table (OV_OPT_TABLE) over a struct post_tls. */
extern const struct ov_option post_tls_options[];
/* Reports what does not go together in the option table `tls`. */
void post_tls_check(const struct post_tls *tls, struct ov_check *check);

struct post_target {
    const char *url; /* copied, as all here */
    const char *unix_socket;     /* to connect to, in place of the URL's host; NULL: none */
    const char *user, *password; /* Basic authentication, if user is not NULL */
    const char *const *headers;  /* "Name: value", NULL-terminated */
    const char *method;          /* NULL: POST */
    const struct post_tls *tls;
    size_t body_max; /* bytes of an answer to keep; 0: POST_BODY_MAX */
};

struct post_answer {
    long status;            /* 200 and so on */
    int64_t retry_after_ms; /* how long the server asks to be left alone; 0: it does not say */
    bool html;              /* a page for people */
    struct ov_slice body;   /* its first `body_max` bytes */
    const char *location;   /* of a redirect, without its query; "" if there is none */
};
#define POST_BODY_MAX 4096
/* No server may silence an output for longer than this, whatever its Retry-After says. */
#define POST_RETRY_AFTER_MAX_MS (3600 * 1000)

/* NULL with ov_fail's text if libcurl cannot be had. */
struct post *post_new(struct ov_host *host, const struct post_target *target);
void post_free(struct post *post);

/* Sends `body` and waits for the answer, which is valid until the next call. OV_FAILED: none came
 * (ov_fail's text says why); OV_STOPPED. */
int post_send(struct post *post, struct ov_slice body, struct post_answer *answer);
/* The same with `headers` (as in struct post_target) besides those of all requests. */
int post_send_with(struct post *post, const char *const *headers, struct ov_slice body,
                   struct post_answer *answer);

/* Whether a status means "the same request may succeed later": 408, 425, 429, 5xx. */
bool post_status_is_passing(long status);
/* Milliseconds of a Retry-After value at wall time `now_ms` (seconds, or an HTTP date), at most
 * POST_RETRY_AFTER_MAX_MS; 0 if it is neither, or past. */
int64_t post_retry_after_ms(struct ov_slice value, int64_t now_ms);

#endif
