/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP POST: one libcurl easy handle in a multi handle, which holds the connection between
 * requests and lets a request be waited for together with the stop descriptor. A connection is
 * closed after ten minutes, so that a name that moved is looked up again.
 */
#include <curl/curl.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>

#include "post.h"

enum {
    BODY_END = 64 * 1024, /* an answer longer than this is cut off */
    WAIT_MS = 1000,       /* how often to look around while nothing moves */
    CONNECTION_MS = 10 * 60 * 1000,
    TIMEOUT_MAX_MS = 3600 * 1000, /* where the host sets no deadline */
};

struct post {
    struct ov_host *host;
    CURL *easy;
    CURLM *multi;
    struct curl_slist *headers;
    int64_t connected_ms; /* when the connection in use was made */
    char error[CURL_ERROR_SIZE];

    /* the answer that is coming in */
    struct ov_buf body, location;
    size_t body_max, body_seen;
    int64_t retry_after_ms;
    bool html;
};

const struct ov_option post_tls_options[] = {
    {.name = "ca", .type = OV_OPT_STRING, .offset = offsetof(struct post_tls, ca),
     .help = "file with the authorities to trust, PEM; by default the system's"},
    {.name = "cert", .type = OV_OPT_STRING, .offset = offsetof(struct post_tls, cert),
     .help = "file with our own certificate, PEM"},
    {.name = "key", .type = OV_OPT_STRING, .offset = offsetof(struct post_tls, key),
     .help = "file with the key of our certificate, PEM"},
    {.name = "insecure", .type = OV_OPT_BOOL, .offset = offsetof(struct post_tls, insecure),
     .fallback = "false", .help = "do not check who the server is: for tests only"},
    {0},
};

void post_tls_check(const struct post_tls *tls, struct ov_check *check)
{
    if (tls->cert && !tls->key)
        ov_check_error(check, "tls.cert", "needs its key: set `key` too");
    if (tls->key && !tls->cert)
        ov_check_error(check, "tls.key", "is of no use without `cert`");
}

/* ---------------------------------------------------------------- what the server says */

int64_t post_retry_after_ms(struct ov_slice value, int64_t now_ms)
{
    int64_t wait_ms = 0;
    bool number = value.len > 0;
    for (size_t i = 0; i < value.len && number; i++) {
        number = value.ptr[i] >= '0' && value.ptr[i] <= '9';
        if (number && wait_ms < POST_RETRY_AFTER_MAX_MS)
            wait_ms = wait_ms * 10 + (value.ptr[i] - '0') * 1000;
    }
    if (!number) {
        char *text = ov_memdup(value.ptr, value.len);
        time_t date = curl_getdate(text, NULL);
        free(text);
        wait_ms = date < 0 ? 0 : (int64_t)date * 1000 - now_ms;
    }
    if (wait_ms < 0)
        return 0;
    return wait_ms < POST_RETRY_AFTER_MAX_MS ? wait_ms : POST_RETRY_AFTER_MAX_MS;
}

bool post_status_is_passing(long status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

static struct ov_slice trimmed(struct ov_slice s)
{
    while (s.len && strchr(" \t\r\n", *s.ptr)) {
        s.ptr++;
        s.len--;
    }
    while (s.len && strchr(" \t\r\n", s.ptr[s.len - 1]))
        s.len--;
    return s;
}

static bool header_is(struct ov_slice line, struct ov_slice name, struct ov_slice *value)
{
    if (line.len <= name.len || line.ptr[name.len] != ':' ||
        strncasecmp(line.ptr, name.ptr, name.len) != 0)
        return false;
    *value = trimmed((struct ov_slice){line.ptr + name.len + 1, line.len - name.len - 1});
    return true;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *argument)
{
    struct post *post = argument;
    struct ov_slice line = {bytes, size * count}, value;
    if (ov_slice_starts(line, OV_SLICE("HTTP/"))) { /* perhaps after a 100 */
        post->retry_after_ms = 0;
        post->html = false;
    } else if (header_is(line, OV_SLICE("Retry-After"), &value)) {
        post->retry_after_ms = post_retry_after_ms(value, ov_wall_ns() / 1000000);
    } else if (header_is(line, OV_SLICE("Content-Type"), &value)) {
        post->html = value.len >= 9 && strncasecmp(value.ptr, "text/html", 9) == 0;
    }
    return line.len;
}

static bool post_is_cut(const struct post *post)
{
    return post->body_seen > BODY_END && post->body_seen > post->body_max;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *argument)
{
    struct post *post = argument;
    size_t len = size * count, room = post->body_max - post->body.len;
    ov_buf_add(&post->body, bytes, len < room ? len : room);
    post->body_seen += len;
    return post_is_cut(post) ? 0 : len; /* 0 ends the transfer */
}

/* ---------------------------------------------------------------- requests */

static bool header_add(struct curl_slist **list, const char *header)
{
    struct curl_slist *longer = curl_slist_append(*list, header);
    if (longer)
        *list = longer;
    return longer;
}

static bool post_header(struct post *post, const char *header)
{
    return header_add(&post->headers, header);
}

static void post_set_tls(CURL *easy, const struct post_tls *tls)
{
    if (tls->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (tls->ca)
        curl_easy_setopt(easy, CURLOPT_CAINFO, tls->ca);
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L); /* a renewed file counts at once */
#endif
    if (tls->cert) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, tls->cert);
        curl_easy_setopt(easy, CURLOPT_SSLKEY, tls->key);
        curl_easy_setopt(easy, CURLOPT_KEYPASSWD, ""); /* else OpenSSL asks at the terminal */
    }
}

static void post_set_place(CURL *easy, const struct post_target *t)
{
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    if (t->unix_socket) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, t->unix_socket);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    if (t->user) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERNAME, t->user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, t->password ? t->password : "");
    }
}

static bool post_set_up(struct post *post, const struct post_target *t)
{
    CURL *easy = post->easy;
    bool ok = post_header(post, "Expect:"); /* no "100-continue" and the wait for its answer */
    for (const char *const *header = t->headers; ok && *header; header++)
        ok = post_header(post, *header);
    if (!ok)
        return false;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, post->error);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "omnivigil");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, post->headers);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, post);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, post);
    if (t->method)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, t->method);
    post_set_place(easy, t);
    post_set_tls(easy, t->tls);
    return curl_easy_setopt(easy, CURLOPT_URL, t->url) == CURLE_OK;
}

struct post *post_new(struct ov_host *host, const struct post_target *target)
{
    struct post *post = ov_calloc(1, sizeof *post);
    post->host = host;
    post->body_max = target->body_max ? target->body_max : POST_BODY_MAX;
    post->connected_ms = ov_clock_ms();
    post->easy = curl_easy_init();
    post->multi = curl_multi_init();
    if (!post->easy || !post->multi || !post_set_up(post, target)) {
        ov_fail(host, "libcurl cannot be set up: out of memory");
        post_free(post);
        return NULL;
    }
    return post;
}

void post_free(struct post *post)
{
    if (!post)
        return;
    curl_easy_cleanup(post->easy);
    curl_multi_cleanup(post->multi);
    curl_slist_free_all(post->headers);
    ov_buf_free(&post->body);
    ov_buf_free(&post->location);
    free(post);
}

static void post_wait(struct post *post)
{
    struct curl_waitfd stop = {.fd = ov_host_stop_fd(post->host), .events = CURL_WAIT_POLLIN};
    int ready = 0;
    unsigned int extra = stop.fd >= 0;
    if (curl_multi_wait(post->multi, &stop, extra, WAIT_MS, &ready) != CURLM_OK || !ready)
        poll(NULL, 0, 1); /* it returns at once while it has nothing to wait for */
}

/* Runs the request to its end; CURLE_ABORTED_BY_CALLBACK if the instance is to stop. */
static CURLcode post_run(struct post *post)
{
    CURLcode result = CURLE_FAILED_INIT;
    if (curl_multi_add_handle(post->multi, post->easy) != CURLM_OK)
        return result;
    for (int running = 1;;) {
        if (curl_multi_perform(post->multi, &running) != CURLM_OK)
            break;
        if (!running) {
            int left;
            CURLMsg *message = curl_multi_info_read(post->multi, &left);
            if (message && message->msg == CURLMSG_DONE)
                result = message->data.result;
            break;
        }
        if (ov_host_stopping(post->host)) {
            result = CURLE_ABORTED_BY_CALLBACK;
            break;
        }
        post_wait(post);
    }
    curl_multi_remove_handle(post->multi, post->easy);
    return result;
}

static long post_timeout(const struct post *post)
{
    int64_t left = ov_host_deadline(post->host) - ov_clock_ms();
    return left < 1 ? 1 : left > TIMEOUT_MAX_MS ? TIMEOUT_MAX_MS : (long)left;
}

static void post_prepare(struct post *post, struct ov_slice body)
{
    bool old = ov_clock_ms() - post->connected_ms > CONNECTION_MS;
    ov_buf_reset(&post->body);
    post->body_seen = 0;
    post->retry_after_ms = 0;
    post->html = false;
    post->error[0] = '\0';
    curl_easy_setopt(post->easy, CURLOPT_POSTFIELDS, body.len ? body.ptr : "");
    curl_easy_setopt(post->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(post->easy, CURLOPT_TIMEOUT_MS, post_timeout(post));
    curl_easy_setopt(post->easy, CURLOPT_FORBID_REUSE, (long)old);
}

static const char *post_location(struct post *post)
{
    char *location = NULL;
    curl_easy_getinfo(post->easy, CURLINFO_REDIRECT_URL, &location);
    ov_buf_reset(&post->location);
    if (location)
        ov_buf_add(&post->location, location, strcspn(location, "?#"));
    return ov_buf_text(&post->location);
}

int post_send(struct post *post, struct ov_slice body, struct post_answer *answer)
{
    post_prepare(post, body);
    CURLcode result = post_run(post);
    long status = 0, connects = 0;
    curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(post->easy, CURLINFO_NUM_CONNECTS, &connects);
    if (connects)
        post->connected_ms = ov_clock_ms();
    if (result == CURLE_ABORTED_BY_CALLBACK)
        return OV_STOPPED;
    if (result != CURLE_OK && !(result == CURLE_WRITE_ERROR && post_is_cut(post)))
        return ov_fail(post->host, "%s", post->error[0] ? post->error : curl_easy_strerror(result));
    *answer = (struct post_answer){
        .status = status,
        .retry_after_ms = post->retry_after_ms,
        .html = post->html,
        .body = {ov_buf_text(&post->body), post->body.len},
        .location = post_location(post),
    };
    return OV_OK;
}

int post_send_with(struct post *post, const char *const *headers, struct ov_slice body,
                   struct post_answer *answer)
{
    struct curl_slist *all = NULL;
    bool ok = true;
    for (struct curl_slist *own = post->headers; ok && own; own = own->next)
        ok = header_add(&all, own->data);
    for (; ok && *headers; headers++)
        ok = header_add(&all, *headers);
    int status = OV_FAILED;
    if (ok && curl_easy_setopt(post->easy, CURLOPT_HTTPHEADER, all) == CURLE_OK)
        status = post_send(post, body, answer);
    else
        ov_fail(post->host, "out of memory");
    curl_easy_setopt(post->easy, CURLOPT_HTTPHEADER, post->headers);
    curl_slist_free_all(all);
    return status;
}
