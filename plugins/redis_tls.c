/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport over TLS, by libcurl: hiredis before 1.0 has none. A module of its own, since
 * libcurl takes milliseconds to load and a plain connection should not pay for it.
 *
 * The link is connected already. curl is handed its descriptor as if it had opened it, shakes
 * hands under the name the certificate must bear (CURLOPT_CONNECT_ONLY), and from then on only
 * encrypts: it resolves nothing, knows no proxy and follows nothing.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "redis_transport.h"
#include "redis_url.h"

enum { RECORD = 16 << 10, POLL_MS = 1000 };

struct tls {
    CURLM *multi;
    CURL *easy;
    bool read_once; /* until then the server may still refuse our certificate */
    /* What could not be written. TLS libraries want the same bytes at the same place again. */
    char record[RECORD];
    size_t record_len;
    char error[CURL_ERROR_SIZE];
};

/* ---------------------------------------------------------------- SIGPIPE */

/* curl writes to a closed connection with or without a signal, depending on its TLS library. */
static void pipe_block(sigset_t *before)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, before);
}

static void pipe_restore(const sigset_t *before)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (!sigismember(before, SIGPIPE))
        sigtimedwait(&pipe, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* ---------------------------------------------------------------- setting up */

static curl_socket_t give_socket(void *link, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose, (void)address;
    return ((struct redis_link *)link)->fd;
}

static int is_connected(void *link, curl_socket_t fd, curlsocktype purpose)
{
    (void)link, (void)fd, (void)purpose;
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static int keep_socket(void *link, curl_socket_t fd)
{
    (void)link, (void)fd;
    return 0;
}

/* The address curl works for: https://NAME:PORT, whose name is the one that is verified. Only a
 * numeric address would be looked at, so NAME is declared to have one. */
static bool set_name(struct redis_link *link, struct tls *tls, CURLU *url,
                     struct curl_slist **known)
{
    const struct redis_url *where = link->url;
    const char *name = where->server_name ? where->server_name : where->host;
    struct ov_buf text = {0};
    bool numeric6 = strchr(name, ':') != NULL;
    ov_buf_printf(&text, numeric6 ? "[%.*s]" : "%.*s", (int)strcspn(name, "%"), name);
    bool good = !curl_url_set(url, CURLUPART_SCHEME, "https", 0) &&
                !curl_url_set(url, CURLUPART_HOST, ov_buf_text(&text), 0);
    ov_buf_reset(&text);
    ov_buf_printf(&text, "%u", (unsigned)where->port);
    good = good && !curl_url_set(url, CURLUPART_PORT, ov_buf_text(&text), 0);
    ov_buf_reset(&text);
    ov_buf_printf(&text, "%s:%u:127.0.0.1", name, (unsigned)where->port);
    if (good && !numeric6)
        *known = curl_slist_append(NULL, ov_buf_text(&text));
    ov_buf_free(&text);
    if (good)
        curl_easy_setopt(tls->easy, CURLOPT_RESOLVE, *known);
    return good;
}

static void set_trust(struct tls *tls, const struct redis_url *url)
{
    struct stat status;
    curl_easy_setopt(tls->easy, CURLOPT_SSL_VERIFYPEER, url->insecure ? 0L : 1L);
    curl_easy_setopt(tls->easy, CURLOPT_SSL_VERIFYHOST,
                     url->insecure || url->any_name ? 0L : 2L);
    if (!url->ca || url->insecure)
        return;
    bool folder = !stat(url->ca, &status) && S_ISDIR(status.st_mode);
    curl_easy_setopt(tls->easy, CURLOPT_CAINFO, folder ? NULL : url->ca);
    curl_easy_setopt(tls->easy, CURLOPT_CAPATH, folder ? url->ca : NULL);
}

static void set_options(struct redis_link *link, struct tls *tls)
{
    CURL *easy = tls->easy;
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, tls->error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, give_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, link);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, is_connected);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, keep_socket);
    set_trust(tls, link->url);
    if (link->url->cert)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, link->url->cert);
    if (link->url->key)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, link->url->key);
}

/* ---------------------------------------------------------------- the handshake */

static enum redis_fault fault_of(CURLcode code)
{
    return code == CURLE_OPERATION_TIMEDOUT ? REDIS_TIMEOUT : REDIS_TLS;
}

static int fail_curl(struct redis_link *link, struct tls *tls, enum redis_fault fault,
                     CURLcode code)
{
    const char *text = *tls->error ? tls->error : curl_easy_strerror(code);
    int len = (int)strcspn(text, "\r\n");
    return redis_link_fail(link, fault, "%.*s", len, text);
}

/* Lets curl wait, for the stop descriptor too. */
static int handshake_wait(struct redis_link *link, struct tls *tls)
{
    struct curl_waitfd stop = {.fd = ov_host_stop_fd(link->host), .events = CURL_WAIT_POLLIN};
    int64_t left = link->deadline_ms - ov_clock_ms();
    if (ov_host_stopping(link->host))
        return OV_STOPPED;
    if (left <= 0)
        return redis_link_fail(link, REDIS_TIMEOUT,
                               "no answer to the TLS handshake in time "
                               "(a port without TLS wants redis://)");
    curl_multi_wait(tls->multi, &stop, stop.fd >= 0 ? 1 : 0, left < POLL_MS ? (int)left : POLL_MS,
                    NULL);
    return OV_OK;
}

static int handshake(struct redis_link *link, struct tls *tls)
{
    int running = 0, left, status = OV_OK;
    while (status == OV_OK && !curl_multi_perform(tls->multi, &running)) {
        const CURLMsg *message = curl_multi_info_read(tls->multi, &left);
        if (message && message->msg == CURLMSG_DONE) {
            CURLcode code = message->data.result;
            return code ? fail_curl(link, tls, fault_of(code), code) : OV_OK;
        }
        if (!running)
            return redis_link_fail(link, REDIS_TLS, "curl gave up");
        status = handshake_wait(link, tls);
    }
    return status == OV_OK ? redis_link_fail(link, REDIS_TLS, "curl cannot go on") : status;
}

static int handshake_by_name(struct redis_link *link, struct tls *tls)
{
    CURLU *url = curl_url();
    struct curl_slist *known = NULL;
    int status;
    if (url && set_name(link, tls, url, &known)) {
        curl_easy_setopt(tls->easy, CURLOPT_CURLU, url);
        curl_multi_add_handle(tls->multi, tls->easy);
        status = handshake(link, tls);
    } else {
        status = redis_link_fail(link, REDIS_TLS, "the server's name is not fit for TLS");
    }
    curl_easy_setopt(tls->easy, CURLOPT_CURLU, NULL);
    curl_easy_setopt(tls->easy, CURLOPT_RESOLVE, NULL);
    curl_slist_free_all(known);
    curl_url_cleanup(url);
    return status;
}

static int tls_connect(struct redis_link *link)
{
    struct tls *tls = link->tls = ov_calloc(1, sizeof *tls);
    sigset_t before;
    int status;
    pipe_block(&before);
    if (!curl_global_init(CURL_GLOBAL_DEFAULT) && (tls->multi = curl_multi_init()) &&
        (tls->easy = curl_easy_init())) {
        set_options(link, tls);
        status = handshake_by_name(link, tls);
    } else {
        status = redis_link_fail(link, REDIS_TLS, "curl cannot be set up");
    }
    pipe_restore(&before);
    return status;
}

/* ---------------------------------------------------------------- reading and writing */

static ssize_t tls_broken(struct redis_link *link, struct tls *tls, CURLcode code)
{
    fail_curl(link, tls, tls->read_once ? REDIS_CLOSED : REDIS_TLS, code);
    return REDIS_LINK_BROKEN;
}

static ssize_t tls_read(struct redis_link *link, void *bytes, size_t size)
{
    struct tls *tls = link->tls;
    sigset_t before;
    size_t n = 0;
    pipe_block(&before); /* reading may have to answer the peer */
    CURLcode code = curl_easy_recv(tls->easy, bytes, size, &n);
    pipe_restore(&before);
    if (code == CURLE_AGAIN)
        return REDIS_LINK_WAIT;
    if (code)
        return tls_broken(link, tls, code);
    tls->read_once = true;
    if (n)
        return (ssize_t)n;
    redis_link_fail(link, REDIS_CLOSED, "the server closed the connection");
    return REDIS_LINK_BROKEN;
}

static ssize_t tls_write(struct redis_link *link, const void *bytes, size_t len)
{
    struct tls *tls = link->tls;
    sigset_t before;
    size_t n = 0;
    if (!tls->record_len) {
        tls->record_len = len < RECORD ? len : RECORD;
        memcpy(tls->record, bytes, tls->record_len);
    }
    pipe_block(&before);
    CURLcode code = curl_easy_send(tls->easy, tls->record, tls->record_len, &n);
    pipe_restore(&before);
    if (code == CURLE_AGAIN)
        return REDIS_LINK_WAIT;
    if (code)
        return tls_broken(link, tls, code);
    tls->record_len = 0;
    return (ssize_t)n;
}

static int tls_descriptor(const struct redis_link *link)
{
    return link->fd;
}

static void tls_close(struct redis_link *link)
{
    struct tls *tls = link->tls;
    sigset_t before;
    if (tls) {
        pipe_block(&before);
        if (tls->multi && tls->easy)
            curl_multi_remove_handle(tls->multi, tls->easy);
        if (tls->easy)
            curl_easy_cleanup(tls->easy);
        if (tls->multi)
            curl_multi_cleanup(tls->multi);
        curl_global_cleanup();
        pipe_restore(&before);
    }
    free(tls);
    link->tls = NULL;
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
}

extern OV_API const struct redis_transport redis_tls_transport;
const struct redis_transport redis_tls_transport = {
    .connect = tls_connect,
    .read = tls_read,
    .write = tls_write,
    .descriptor = tls_descriptor,
    .close = tls_close,
};
