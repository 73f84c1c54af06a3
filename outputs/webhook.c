/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output `webhook`: alerts, and other samples on request, as HTTP requests in the form that a
 * receiver wants. This file is the configuration: what can be said, what must not, and what is
 * made of it.
 *
 * The address of a webhook is a secret as a whole: whoever knows it can write to the channel.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hmac.h"
#include "webhook.h"
#include "webhook_template.h"

enum { TEMPLATE_MAX = 256 * 1024 };

static const struct webhook_format *const formats[] = {
    &webhook_json, &webhook_slack, &webhook_discord, &webhook_teams, &webhook_alertmanager,
    &webhook_pagerduty, &webhook_template,
};
static const char *const format_names[] = {
    "json", "slack", "discord", "teams", "alertmanager", "pagerduty", "template", NULL,
};
_Static_assert(OV_COUNT(formats) + 1 == OV_COUNT(format_names), "a name for each format");
static const char *const methods[] = {"POST", "PUT", "PATCH", NULL};

#define ALERTS "omnidaemon_alert"
#define OPTION(member, kind)                                                                       \
    .name = #member, .type = kind, .offset = offsetof(struct webhook, member)

static const struct ov_option options[] = {
    {OPTION(url, OV_OPT_STRING), .secret = true,
     .help = "address to send to; for alertmanager the server's own is enough, pagerduty needs "
             "none"},
    {OPTION(format, OV_OPT_ENUM), .choices = format_names, .fallback = "json",
     .help = "what the receiver understands"},
    {.name = "template", .type = OV_OPT_STRING, .offset = offsetof(struct webhook, template_path),
     .help = "file with the body of a request, for the format template"},
    {OPTION(content_type, OV_OPT_STRING),
     .help = "what the template makes; by default application/json"},
    {OPTION(measurements, OV_OPT_LIST), .fallback = ALERTS,
     .help = "names of the measurements to send, or patterns"},
    {OPTION(batch, OV_OPT_INT), .fallback = "20", .min = 1, .max = 10000,
     .help = "alerts of one moment that go into one message, at most"},
    {OPTION(rate, OV_OPT_INT), .min = 1, .max = 10000,
     .help = "messages a second, at most; by default what the format's service bears, else 10"},
    {OPTION(method, OV_OPT_ENUM), .choices = methods, .fallback = "POST",
     .help = "method of the requests"},
    {OPTION(headers, OV_OPT_MAP), .secret = true,
     .help = "more headers of the requests, such as {X-Api-Key: abc}"},
    {OPTION(token, OV_OPT_STRING), .secret = true,
     .help = "bearer token, in place of user and password"},
    {OPTION(user, OV_OPT_STRING), .help = "user name"},
    {OPTION(password, OV_OPT_STRING), .secret = true, .help = "password of the user"},
    {OPTION(hmac_key, OV_OPT_STRING), .secret = true,
     .help = "key to sign requests with: X-Omnivigil-Signature is sha256= and the HMAC-SHA256, in "
             "hexadecimal, of X-Omnivigil-Timestamp, a dot and the body"},
    {OPTION(routing_key, OV_OPT_STRING), .secret = true,
     .help = "integration key of a service of PagerDuty"},
    {OPTION(source, OV_OPT_STRING),
     .help = "what messages call the sender; by default this host's name"},
    {.name = "expire", .type = OV_OPT_DURATION, .offset = offsetof(struct webhook, expire_ms),
     .fallback = "1d", .min = 60 * 1000, .max = INT64_C(366) * 86400 * 1000,
     .help = "alertmanager ends a firing alert that was not repeated for so long"},
    {OPTION(tls, OV_OPT_TABLE), .table = post_tls_options, .help = "for an https address"},
    {0},
};

const struct webhook_format *webhook_format_of(const struct webhook *w)
{
    return formats[w->format];
}

/* ---------------------------------------------------------------- the template's file */

/* Appends a file's content. Never waits for a pipe or a device. */
static const char *file_read(const char *path, struct ov_buf *out)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return strerror(errno);
    const char *why = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? NULL : "it is no file";
    for (ssize_t got = 1; !why && got > 0;) {
        ov_buf_grow(out, 16384);
        got = read(fd, out->data + out->len, 16384);
        if (got < 0 && errno != EINTR)
            why = strerror(errno);
        out->len += got > 0 ? (size_t)got : 0;
        got = got < 0 ? 1 : got;
        if (out->len > TEMPLATE_MAX)
            why = "it is larger than 256KiB";
    }
    close(fd);
    return why;
}

static bool only_alerts(const struct webhook *w)
{
    for (size_t i = 0; i < w->measurements.count; i++)
        if (!ov_slice_eq(w->measurements.items[i], OV_SLICE(ALERTS)))
            return false;
    return true;
}

/* Where complaints about a template go: the configuration's check, or the error at open. */
struct complaints {
    const char *path;
    struct ov_check *check;
    struct ov_host *host;
};

static void complain_at(void *context, size_t line, size_t column, const char *what)
{
    const struct complaints *to = context;
    if (to->check)
        ov_check_error(to->check, "template", "%s:%zu:%zu: %s", to->path, line, column, what);
    else
        ov_fail(to->host, "%s:%zu:%zu: %s", to->path, line, column, what);
}

static struct template *template_load(const struct webhook *w, struct complaints *to)
{
    struct ov_buf text = {0};
    struct template *template = NULL;
    const char *why = file_read(w->template_path, &text);
    if (!why)
        template = webhook_template_new((struct ov_slice){text.data, text.len}, only_alerts(w),
                                        complain_at, to);
    else if (to->check)
        ov_check_error(to->check, "template", "%s: %s", w->template_path, why);
    else
        ov_fail(to->host, "%s: %s", w->template_path, why);
    ov_buf_free(&text);
    return template;
}

/* ---------------------------------------------------------------- checks */

static bool has_control(struct ov_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return true;
    return false;
}

static bool is_header_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("!#$%&'*+-.^_`|~", *c))
            return false;
    return *name;
}

static void check_headers(const struct webhook *w, struct ov_check *check)
{
    static const char *const ours[] = {
        "Authorization", "Connection", "Content-Length", "Content-Type", "Expect",
        "Transfer-Encoding",
    };
    for (size_t i = 0; i < w->headers.count; i++) {
        const char *name = w->headers.items[i].name;
        bool taken = strncasecmp(name, "X-Omnivigil-", 12) == 0;
        for (size_t k = 0; k < OV_COUNT(ours); k++)
            taken |= strcasecmp(name, ours[k]) == 0 && (k || w->token || w->user);
        if (!is_header_name(name))
            ov_check_error(check, "headers", "header %zu has no proper name", i + 1);
        else if (taken)
            ov_check_error(check, "headers", "`%s` is set by omnivigil itself", name);
        else if (has_control(w->headers.items[i].value))
            ov_check_error(check, "headers", "`%s` holds control characters", name);
    }
}

static void check_login(const struct webhook *w, struct ov_check *check)
{
    if (w->token && w->user)
        ov_check_error(check, "token", "cannot be used together with `user`");
    if (w->token && (!*w->token || has_control(ov_slice(w->token))))
        ov_check_error(check, "token", "is empty or holds control characters");
    if (w->password && !w->user)
        ov_check_error(check, "password", "is of no use without `user`");
    if (w->user && strchr(w->user, ':'))
        ov_check_error(check, "user", "must not hold a colon");
    if (w->hmac_key && !*w->hmac_key)
        ov_check_error(check, "hmac_key", "is empty");
}

static void check_format(const struct webhook *w, struct ov_check *check)
{
    const struct webhook_format *kind = webhook_format_of(w);
    bool template = kind == &webhook_template;
    if (kind->keyed && (!w->routing_key || !*w->routing_key))
        ov_check_error(check, "format", "%s needs a `routing_key`", kind->name);
    if (!kind->keyed && w->routing_key)
        ov_check_error(check, "routing_key", "is for the format pagerduty");
    if (kind->alerts_only && !only_alerts(w))
        ov_check_error(check, "measurements", "%s takes nothing but " ALERTS, kind->name);
    if (template && !w->template_path)
        ov_check_error(check, "format", "template needs a file: set `template`");
    if (!template && w->template_path)
        ov_check_error(check, "template", "is for the format template");
    if (!template && w->content_type)
        ov_check_error(check, "content_type", "is for the format template");
    if (w->content_type && (!*w->content_type || has_control(ov_slice(w->content_type))))
        ov_check_error(check, "content_type", "is empty or holds control characters");
    if (template && w->template_path)
        template_free(template_load(w, &(struct complaints){w->template_path, check, NULL}));
}

static void webhook_check(void *state, struct ov_check *check)
{
    const struct webhook *w = state;
    const char *why = w->url ? url_refusal(w->url) : NULL;
    if (why)
        ov_check_error(check, "url", "%s", why);
    if (!w->url && !webhook_format_of(w)->url)
        ov_check_error(check, "url", "is missing: where should messages go?");
    check_format(w, check);
    check_login(w, check);
    check_headers(w, check);
    post_tls_check(&w->tls, check);
}

/* ---------------------------------------------------------------- open and close */

static bool target_make(struct webhook *w)
{
    const char *url = w->url ? w->url : w->kind->url, *path = w->kind->path;
    size_t len = url ? strcspn(url, "?#") : 0, tail = path ? strlen(path) : 0;
    bool there = len >= tail && path && memcmp(url + len - tail, path, tail) == 0;
    if (!url)
        return false;
    return path && !there ? url_make(&w->target, url, path, NULL, 0) : url_keep(&w->target, url);
}

/* "Name: value", NULL-terminated; free each and the array. */
static char **headers_new(const struct webhook *w)
{
    size_t count = 0;
    char **headers = ov_calloc(w->headers.count + 3, sizeof *headers);
    struct ov_buf text = {0};
    ov_buf_printf(&text, "Content-Type: %s",
                  w->content_type ? w->content_type : w->kind->content_type);
    headers[count++] = ov_strdup(ov_buf_text(&text));
    if (w->token) {
        ov_buf_reset(&text);
        ov_buf_printf(&text, "Authorization: Bearer %s", w->token);
        headers[count++] = ov_strdup(ov_buf_text(&text));
    }
    for (size_t i = 0; i < w->headers.count; i++) {
        struct ov_slice value = w->headers.items[i].value;
        ov_buf_reset(&text);
        ov_buf_str(&text, w->headers.items[i].name);
        ov_buf_str(&text, value.len ? ": " : ";"); /* how libcurl is told of an empty one */
        ov_buf_slice(&text, value);
        headers[count++] = ov_strdup(ov_buf_text(&text));
    }
    ov_buf_free(&text);
    return headers;
}

static struct post *post_make(struct webhook *w)
{
    char **headers = headers_new(w);
    struct post_target target = {
        .url = w->target.target,
        .user = w->token ? NULL : w->user ? w->user : w->target.user,
        .password = w->user ? w->password : w->target.password,
        .headers = (const char *const *)headers,
        .method = methods[w->method],
        .tls = &w->tls,
    };
    struct post *post = post_new(w->host, &target);
    for (char **header = headers; *header; header++)
        free(*header);
    free(headers);
    return post;
}

static int webhook_open(void *state, struct ov_host *host)
{
    struct webhook *w = state;
    char digest[SHA256_HEX + 1];
    w->host = host;
    w->kind = webhook_format_of(w);
    w->newest = memory_new();
    w->rate = w->rate ? w->rate : w->kind->rate;
    if (gethostname(w->host_name, sizeof w->host_name - 1) != 0 || !*w->host_name)
        memcpy(w->host_name, "omnivigil", sizeof "omnivigil");
    w->setup = (struct webhook_setup){
        .source = w->source ? w->source : w->host_name,
        .expire_seconds = (double)w->expire_ms / 1e3,
    };
    if (!sha256_hex(OV_SLICE("self-test"), digest))
        return ov_fail(host, "libcrypto has no SHA-256");
    if (w->kind == &webhook_template) {
        w->template = template_load(w, &(struct complaints){w->template_path, NULL, host});
        if (!w->template)
            return OV_FAILED;
        w->setup.template = w->template;
    }
    if (!target_make(w))
        return ov_fail(host, "the url cannot be used");
    w->post = post_make(w);
    return w->post ? OV_OK : OV_FAILED;
}

static void webhook_close(void *state)
{
    struct webhook *w = state;
    post_free(w->post);
    url_free(&w->target);
    template_free(w->template);
    memory_free(w->newest);
    free(w->items);
    ov_buf_free(&w->text);
    ov_buf_free(&w->piece);
    ov_buf_free(&w->record);
    ov_buf_free(&w->sent);
}

OV_PLUGIN = {
    OV_PLUGIN_HEAD,
    .name = "webhook",
    .summary = "sends alerts to chats, pagers and programs over HTTP",
    .kind = OV_OUTPUT,
    .precious = true,
    .state_size = sizeof(struct webhook),
    .options = options,
    .check = webhook_check,
    .open = webhook_open,
    .close = webhook_close,
    .encode = webhook_encode,
    .send = webhook_send,
};
