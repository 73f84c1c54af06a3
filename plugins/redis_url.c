/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads Redis addresses. The text is cut as RFC 3986 does (scheme, authority up to the first `/`
 * or `?`, path, query), then each part is decoded once:
 *
 *     redis :// user : password @ host : port / db ? name=value & name=value
 *               `------ up to the last @ ------'
 *
 * A byte that cannot stand there as it is ends in an error that says what to write instead.
 */
#include <limits.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/un.h>

#include "redis_url.h"

enum { DEFAULT_PORT = 6379, DB_NOT_GIVEN = -1 };

static const char *const schemes[] = {
    [REDIS_TCP] = "redis://",
    [REDIS_SECURE] = "rediss://",
    [REDIS_UNIX] = "unix://",
};

static bool refuse(struct ov_buf *why, const char *reason)
{
    ov_buf_reset(why);
    ov_buf_str(why, reason);
    return false;
}

/* Cuts off and returns what stands before the first `mark`; all of it if there is none, and
 * then `*rest` becomes empty with a NULL pointer. */
static struct ov_slice cut(struct ov_slice *rest, char mark)
{
    struct ov_slice head = *rest;
    const char *at = head.len ? memchr(head.ptr, mark, head.len) : NULL;
    if (!at) {
        *rest = (struct ov_slice){0};
        return head;
    }
    head.len = (size_t)(at - head.ptr);
    *rest = (struct ov_slice){at + 1, rest->len - head.len - 1};
    return head;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool decode(struct ov_slice text, bool plus_is_blank, struct ov_buf *out,
                   struct ov_buf *why)
{
    ov_buf_reset(out);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            bool room = text.len - i > 2;
            int high = room ? hex_digit(text.ptr[i + 1]) : -1;
            int low = room ? hex_digit(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return refuse(why, "a `%` is not followed by two hexadecimal digits "
                                   "(a `%` itself is written %25)");
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        ov_buf_char(out, c);
    }
    return true;
}

/* Decodes what must be a C string of at least one byte. */
static bool decode_string(struct ov_slice text, bool plus_is_blank, char **out,
                          struct ov_buf *why)
{
    struct ov_buf bytes = {0};
    bool good = decode(text, plus_is_blank, &bytes, why);
    if (good && bytes.len && memchr(bytes.data, '\0', bytes.len))
        good = refuse(why, "a NUL byte (%00) cannot stand in a host or a path");
    if (good) {
        free(*out);
        *out = ov_memdup(bytes.data, bytes.len);
    }
    ov_buf_free(&bytes);
    return good;
}

/* A whole number of decimal digits up to `max`, or -1. */
static int64_t number(struct ov_slice text, int64_t max)
{
    int64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        value = value * 10 + (text.ptr[i] - '0');
        if (value > max)
            return -1;
    }
    return text.len ? value : -1;
}

static bool take_db(struct redis_url *url, struct ov_slice text, struct ov_buf *why)
{
    url->db = number(text, INT_MAX);
    if (url->db < 0)
        return refuse(why, "the database must be a whole number from 0 (a `/` or `?` in the "
                           "user name or the password is written %2F or %3F)");
    return true;
}

/* ---------------------------------------------------------------- the query */

enum parameter { DB, USER, PASSWORD, VERIFY, VERIFY_NAME, CA, CERT, KEY };

static const struct {
    const char *name;
    enum parameter parameter;
} parameters[] = {
    {"db", DB},
    {"username", USER},
    {"password", PASSWORD},
    {"ssl_cert_reqs", VERIFY},
    {"ssl_check_hostname", VERIFY_NAME},
    {"ssl_ca_certs", CA},
    {"ssl_ca_path", CA},
    {"ssl_certfile", CERT},
    {"ssl_keyfile", KEY},
};

static bool is_no(struct ov_slice text)
{
    static const char *const words[] = {"0", "f", "false", "n", "no"};
    for (size_t i = 0; i < OV_COUNT(words); i++)
        if (text.len == strlen(words[i]) && !strncasecmp(text.ptr, words[i], text.len))
            return true;
    return false;
}

static bool take_verify(struct redis_url *url, struct ov_slice text, struct ov_buf *why)
{
    if (ov_slice_eq(text, OV_SLICE("none")))
        url->insecure = true;
    else if (!ov_slice_eq(text, OV_SLICE("required")) && !ov_slice_eq(text, OV_SLICE("optional")))
        return refuse(why, "ssl_cert_reqs must be required, optional or none");
    return true;
}

static bool take_parameter(struct redis_url *url, enum parameter parameter, struct ov_slice value,
                           struct ov_buf *why)
{
    switch (parameter) {
    case DB:
        return take_db(url, value, why);
    case USER:
        return decode(value, true, &url->user, why);
    case PASSWORD:
        return decode(value, true, &url->password, why);
    case VERIFY:
        return take_verify(url, value, why);
    case VERIFY_NAME:
        url->any_name = is_no(value);
        return true;
    case CA:
        return decode_string(value, true, &url->ca, why);
    case CERT:
        return decode_string(value, true, &url->cert, why);
    case KEY:
        return decode_string(value, true, &url->key, why);
    }
    return true;
}

static bool parse_query(struct redis_url *url, struct ov_slice query, struct ov_buf *why)
{
    unsigned seen = 0; /* of a name given twice redis-py takes the first */
    while (query.ptr) {
        struct ov_slice value = cut(&query, '&'), name = cut(&value, '=');
        for (size_t i = 0; value.len && i < OV_COUNT(parameters); i++) {
            if (!ov_slice_eq(name, ov_slice(parameters[i].name)) || (seen & 1u << i))
                continue;
            seen |= 1u << i;
            if (!take_parameter(url, parameters[i].parameter, value, why))
                return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- who and where */

static bool parse_user(struct redis_url *url, struct ov_slice info, struct ov_buf *why)
{
    struct ov_slice user = cut(&info, ':');
    return (!user.len || decode(user, false, &url->user, why)) &&
           (!info.len || decode(info, false, &url->password, why));
}

/* Takes the host off `*rest` and leaves what follows it: "" or ":port". */
static bool parse_host(struct redis_url *url, struct ov_slice *rest, struct ov_buf *why)
{
    struct ov_slice host = *rest;
    if (rest->len && rest->ptr[0] == '[') {
        struct ov_slice inner = {rest->ptr + 1, rest->len - 1};
        host = cut(&inner, ']');
        if (!inner.ptr || !host.len)
            return refuse(why, "an IPv6 address goes in brackets, as in redis://[::1]:6379");
        *rest = inner;
    } else {
        const char *colon = host.len ? memchr(host.ptr, ':', host.len) : NULL;
        if (colon)
            host.len = (size_t)(colon - host.ptr);
        rest->ptr += host.len;
        rest->len -= host.len;
    }
    if (!host.len)
        host = OV_SLICE("localhost");
    return decode_string(host, false, &url->host, why);
}

static bool parse_host_port(struct redis_url *url, struct ov_slice place, struct ov_buf *why)
{
    if (!parse_host(url, &place, why))
        return false;
    if (place.len < 2) { /* a colon alone is fine */
        url->port = DEFAULT_PORT;
        return !place.len || *place.ptr == ':' || refuse(why, "junk follows the host");
    }
    if (memchr(place.ptr + 1, ':', place.len - 1))
        return refuse(why, "an IPv6 address goes in brackets, as in redis://[::1]:6379; a `/`, "
                           "`?` or `@` in a password is written %2F, %3F or %40");
    int64_t port = *place.ptr == ':'
                       ? number((struct ov_slice){place.ptr + 1, place.len - 1}, UINT16_MAX)
                       : -1;
    if (port < 1)
        return refuse(why, "the port must be a number from 1 to 65535 (a `/`, `?` or `@` in a "
                           "password is written %2F, %3F or %40)");
    url->port = (uint16_t)port;
    return true;
}

static bool parse_place(struct redis_url *url, struct ov_slice authority, struct ov_buf *why)
{
    size_t at = authority.len; /* behind the last `@`, which a password may hold too */
    while (at > 0 && authority.ptr[at - 1] != '@')
        at--;
    if (at && !parse_user(url, (struct ov_slice){authority.ptr, at - 1}, why))
        return false;
    struct ov_slice place = {authority.ptr + at, authority.len - at};
    if (url->scheme != REDIS_UNIX)
        return parse_host_port(url, place, why);
    return !place.len || refuse(why, "a socket has an absolute path, as in "
                                     "unix:///run/redis/redis.sock");
}

static bool parse_path(struct redis_url *url, struct ov_slice path, struct ov_buf *why)
{
    if (url->scheme != REDIS_UNIX) {
        while (path.len && path.ptr[0] == '/')
            path = (struct ov_slice){path.ptr + 1, path.len - 1};
        while (path.len && path.ptr[path.len - 1] == '/')
            path.len--;
        return !path.len || url->db != DB_NOT_GIVEN || take_db(url, path, why);
    }
    if (path.len < 2)
        return refuse(why, "unix:// needs the path of a socket, as in "
                           "unix:///run/redis/redis.sock");
    if (!decode_string(path, false, &url->path, why))
        return false;
    return strlen(url->path) < sizeof((struct sockaddr_un *)NULL)->sun_path ||
           refuse(why, "the path of a socket may have 107 bytes at most");
}

static bool parse_scheme(struct redis_url *url, struct ov_slice *rest, struct ov_buf *why)
{
    for (size_t i = 0; i < OV_COUNT(schemes); i++) {
        struct ov_slice scheme = ov_slice(schemes[i]);
        if (ov_slice_starts(*rest, scheme)) {
            url->scheme = (enum redis_scheme)i;
            rest->ptr += scheme.len;
            rest->len -= scheme.len;
            return true;
        }
    }
    return refuse(why, "a Redis address begins with redis://, rediss:// or unix://");
}

bool redis_url_parse(const char *text, struct redis_url *url, struct ov_buf *why)
{
    *url = (struct redis_url){.db = DB_NOT_GIVEN};
    struct ov_slice rest = ov_slice(text);
    if (!parse_scheme(url, &rest, why))
        return false;
    if (strchr(rest.ptr, '#'))
        return refuse(why, "a `#` in a Redis address is written %23");
    for (const char *c = rest.ptr; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return refuse(why, "a control byte in a Redis address is written %0A for a newline, "
                               "and so on");
    struct ov_slice query = rest, authority = cut(&query, '?'), path = authority;
    authority = cut(&path, '/');
    if (path.ptr)
        path = (struct ov_slice){path.ptr - 1, path.len + 1};
    if (!parse_query(url, query, why) || !parse_path(url, path, why) ||
        !parse_place(url, authority, why))
        return false;
    if (url->db == DB_NOT_GIVEN)
        url->db = 0;
    return true;
}

/* ---------------------------------------------------------------- the whole */

static void replace(char **field, const char *option)
{
    if (!option)
        return;
    free(*field);
    *field = ov_strdup(option);
}

static void replace_bytes(struct ov_buf *field, const char *option)
{
    if (!option)
        return;
    ov_buf_reset(field);
    ov_buf_str(field, option);
}

bool redis_url_from_options(const struct redis_options *options, struct redis_url *url,
                            struct ov_buf *why)
{
    if (!redis_url_parse(options->url ? options->url : "redis://", url, why))
        return false;
    replace_bytes(&url->user, options->user);
    replace_bytes(&url->password, options->password);
    replace(&url->ca, options->tls.ca);
    replace(&url->cert, options->tls.cert);
    replace(&url->key, options->tls.key);
    replace(&url->server_name, options->tls.server_name);
    url->insecure |= options->tls.insecure;
    return true;
}

void redis_url_free(struct redis_url *url)
{
    free(url->host);
    free(url->path);
    ov_buf_free(&url->user);
    ov_buf_free(&url->password);
    free(url->ca);
    free(url->cert);
    free(url->key);
    free(url->server_name);
    *url = (struct redis_url){0};
}

void redis_url_place(const struct redis_url *url, struct ov_buf *out)
{
    if (url->scheme == REDIS_UNIX) {
        ov_buf_escaped(out, ov_slice(url->path));
        return;
    }
    bool numeric6 = strchr(url->host, ':') != NULL;
    ov_buf_str(out, numeric6 ? "[" : "");
    ov_buf_escaped(out, ov_slice(url->host));
    ov_buf_printf(out, "%s:%u", numeric6 ? "]" : "", (unsigned)url->port);
}

void redis_url_text(const struct redis_url *url, struct ov_buf *out)
{
    ov_buf_str(out, schemes[url->scheme]);
    redis_url_place(url, out);
    ov_buf_str(out, url->scheme == REDIS_UNIX ? "?db=" : "/");
    ov_buf_int(out, url->db);
}
