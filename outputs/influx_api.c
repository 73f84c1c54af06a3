/* SPDX-License-Identifier: Apache-2.0 */
/* Which version is spoken is decided by the options alone: a server that is away at the start
 * cannot be asked. */
#include <stdlib.h>

#include "influx_answer.h"
#include "influx_api.h"

#define UNIX_SCHEME "unix://"
enum { UDP_RESOLVE_MS = 30 * 1000 };
#define UDP_SCHEME "udp://"
#define UDP_PORT "8089"

enum { ANSWER_MAX = 1024 * 1024 }; /* version 3 lists every line it refused */

static bool is_unix(const struct influx_options *o)
{
    return strncmp(o->url, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0;
}

const struct ov_option influx_udp_options[] = {
    {.name = "datagram", .type = OV_OPT_SIZE, .offset = offsetof(struct influx_udp, datagram),
     .fallback = "1432", .min = 256, .max = 65507,
     .help = "largest datagram; a sample that is longer is dropped and counted"},
    {.name = "per_second", .type = OV_OPT_INT, .offset = offsetof(struct influx_udp, per_second),
     .fallback = "1000", .min = 1, .max = 1000000,
     .help = "datagrams in a second, at most; a receiver loses what comes faster than it reads"},
    {0},
};

bool influx_is_udp(const struct influx_options *o)
{
    return strncmp(o->url, UDP_SCHEME, strlen(UDP_SCHEME)) == 0;
}

int influx_version(const struct influx_options *o)
{
    if (o->version)
        return o->version;
    if (o->bucket)
        return 2;
    return o->token ? 3 : 1;
}

/* ---------------------------------------------------------------- what goes together */

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

static void check_url(const struct influx_options *o, struct ov_check *check)
{
    struct address address;
    if (influx_is_udp(o)) {
        if (address_read(&address, o->url, UDP_PORT))
            ov_check_error(check, "url", "is not like udp://127.0.0.1:" UDP_PORT);
    } else if (is_unix(o)) {
        if (o->url[strlen(UNIX_SCHEME)] != '/')
            ov_check_error(check, "url", "needs an absolute path: unix:///run/influxdb.sock");
    } else if (strncmp(o->url, "http", 4) != 0) {
        ov_check_error(check, "url", "must begin with http://, https://, unix:// or udp://");
    } else {
        const char *why = url_refusal(o->url);
        if (why)
            ov_check_error(check, "url", "%s", why);
        else if (strchr(o->url, '?') || strchr(o->url, '#'))
            ov_check_error(check, "url", "must end before `?` or `#`: what is written to where "
                           "has options of its own");
    }
}

/* An option that another choice leaves without a meaning. */
static void check_unused(struct ov_check *check, bool set, const char *name, const char *why)
{
    if (set)
        ov_check_error(check, name, "%s", why);
}

static void check_udp(const struct influx_options *o, struct ov_check *check)
{
    static const char why[] = "is of no use over UDP: the server's own configuration says where "
                              "lines go, and nobody logs in";
    check_unused(check, o->bucket, "bucket", why);
    check_unused(check, o->organization, "organization", why);
    check_unused(check, o->retention_policy, "retention_policy", why);
    check_unused(check, o->user, "user", why);
    check_unused(check, o->token, "token", why);
    check_unused(check, o->version > 1, "version", "has no UDP: only version 1 does");
    check_unused(check, o->gzip, "gzip", "is not understood over UDP");
    check_unused(check, o->create_database, "create_database", "needs an answer: not over UDP");
}

static void check_version(const struct influx_options *o, struct ov_check *check)
{
    static const char bucketless[] = "is for version 2: versions 1 and 3 have a `database`";
    int version = influx_version(o);
    if (version == 2) {
        if (!o->bucket)
            ov_check_error(check, "version", "2 needs a `bucket`");
        else if (!o->organization)
            ov_check_error(check, "bucket", "needs its `organization`");
    } else {
        check_unused(check, o->bucket, "bucket", bucketless);
        check_unused(check, o->organization, "organization", bucketless);
        check_unused(check, !*o->database, "database", "is empty");
    }
    if (version != 1) {
        check_unused(check, o->retention_policy, "retention_policy", "is for version 1");
        check_unused(check, o->create_database, "create_database", version == 3 ?
                     "is for version 1: version 3 creates a database by itself" :
                     "is for version 1: a bucket is created with `influx bucket create`");
    }
}

void influx_options_check(const struct influx_options *o, struct ov_check *check)
{
    check_url(o, check);
    if (influx_is_udp(o))
        check_udp(o, check);
    else
        check_version(o, check);
    check_unused(check, o->token && o->user, "token", "cannot be used together with `user`");
    check_unused(check, o->password && !o->user, "password", "is of no use without `user`");
    check_unused(check, o->user && strchr(o->user, ':'), "user", "must not hold a colon");
    check_unused(check, o->token && has_control(o->token), "token", "holds control characters");
    post_tls_check(&o->tls, check);
}

/* ---------------------------------------------------------------- requests */

static const char *precision_name(const struct influx_options *o)
{
    static const char *const names[][4] = {
        {"ns", "us", "ms", "s"},
        {"ns", "u", "ms", "s"},
        {"ns", "us", "ms", "s"},
        {"nanosecond", "microsecond", "millisecond", "second"},
    };
    return names[influx_version(o)][o->precision];
}

static bool write_url(const struct influx_options *o, struct url *url)
{
    static const char *const paths[] = {"", "/write", "/api/v2/write", "/api/v3/write_lp"};
    int version = influx_version(o);
    struct ov_tag query[4];
    size_t count = 0;
    if (version == 2) {
        query[count++] = (struct ov_tag){"org", ov_slice(o->organization)};
        query[count++] = (struct ov_tag){"bucket", ov_slice(o->bucket)};
    } else {
        query[count++] = (struct ov_tag){"db", ov_slice(o->database)};
    }
    if (version == 1 && o->retention_policy)
        query[count++] = (struct ov_tag){"rp", ov_slice(o->retention_policy)};
    query[count++] = (struct ov_tag){"precision", ov_slice(precision_name(o))};
    return url_make(url, is_unix(o) ? "http://localhost" : o->url, paths[version], query, count);
}

static struct post *post_to(struct ov_host *host, const struct influx_options *o,
                            const struct url *url, bool gzip)
{
    struct ov_buf authorization = {0};
    if (o->token)
        ov_buf_printf(&authorization, "Authorization: %s %s",
                      influx_version(o) == 3 ? "Bearer" : "Token", o->token);
    const char *headers[4] = {"Content-Type: text/plain; charset=utf-8"};
    size_t count = 1;
    if (o->token)
        headers[count++] = ov_buf_text(&authorization);
    if (gzip)
        headers[count++] = "Content-Encoding: gzip";
    struct post_target target = {
        .url = url->target,
        .unix_socket = is_unix(o) ? o->url + strlen(UNIX_SCHEME) : NULL,
        .user = o->token ? NULL : o->user ? o->user : url->user,
        .password = o->user ? o->password : url->password,
        .headers = headers,
        .tls = &o->tls,
        .body_max = ANSWER_MAX,
    };
    struct post *post = post_new(host, &target);
    ov_buf_free(&authorization);
    return post;
}

struct post *influx_post_new(struct ov_host *host, const struct influx_options *o, char **place)
{
    struct url url;
    if (!write_url(o, &url)) {
        ov_fail(host, "the url cannot be used");
        return NULL;
    }
    struct post *post = post_to(host, o, &url, o->gzip);
    free(*place);
    *place = ov_strdup(is_unix(o) ? o->url : url.shown);
    url_free(&url);
    return post;
}

int influx_udp_set(struct ov_host *host, const struct influx_options *o, struct peer *peer,
                   struct datagrams *datagrams)
{
    const char *why = address_read(&peer->address, o->url, UDP_PORT);
    if (why)
        return ov_fail(host, "the url %s", why);
    peer->resolve_ms = UDP_RESOLVE_MS;
    datagrams->max = (size_t)o->udp.datagram;
    datagrams->datagram_ns = 1000000000 / o->udp.per_second;
    return OV_OK;
}

/* ---------------------------------------------------------------- databases */

static void identifier(struct ov_buf *out, const char *name)
{
    ov_buf_char(out, '"');
    for (; *name; name++) {
        if (*name == '"' || *name == '\\')
            ov_buf_char(out, '\\');
        ov_buf_str(out, *name == '\n' ? "\\n" : (char[]){*name, '\0'});
    }
    ov_buf_char(out, '"');
}

static bool created(struct ov_host *host, const struct influx_options *o, struct post *post,
                    struct ov_buf *why)
{
    struct post_answer answer;
    if (post_send(post, OV_SLICE(""), &answer) != OV_OK) {
        ov_buf_str(why, "; CREATE DATABASE was not answered");
        return false;
    }
    struct ov_buf said = {0};
    bool ok = !influx_answer_words(&answer, &said) && answer.status == 200;
    if (ok)
        ov_log(host, OV_INFO, "created the database `%s`", o->database);
    else
        ov_buf_printf(why, "; CREATE DATABASE is answered with %ld: %s", answer.status,
                      ov_buf_text(&said));
    ov_buf_free(&said);
    return ok;
}

bool influx_create_database(struct ov_host *host, const struct influx_options *o,
                            struct ov_buf *why)
{
    struct ov_buf text = {0};
    struct url url;
    ov_buf_str(&text, "CREATE DATABASE ");
    identifier(&text, o->database);
    struct ov_tag query = {"q", {text.data, text.len}};
    bool ok = url_make(&url, is_unix(o) ? "http://localhost" : o->url, "/query", &query, 1);
    if (ok) {
        struct post *post = post_to(host, o, &url, false);
        ok = post && created(host, o, post, why);
        post_free(post);
        url_free(&url);
    }
    ov_buf_free(&text);
    return ok;
}

void influx_advise_creation(const struct influx_options *o, struct ov_buf *out)
{
    if (influx_version(o) == 2) {
        ov_buf_printf(out, "; create it: influx bucket create --org '%s' --name '%s'",
                      o->organization, o->bucket);
        return;
    }
    ov_buf_str(out, "; set `create_database`, or create it: influx -execute 'CREATE DATABASE ");
    identifier(out, o->database);
    ov_buf_str(out, "'");
}
