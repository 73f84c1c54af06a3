/* SPDX-License-Identifier: Apache-2.0 */
/* Redis addresses: what each says, written out by `render`, and why the others are refused. No
 * reason may quote the address, which may hold a password anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "redis_url.h"

static void render_bytes(struct ov_buf *out, const char *name, const struct ov_buf *bytes)
{
    if (!bytes->len)
        return;
    ov_buf_printf(out, " %s=", name);
    ov_buf_escaped(out, (struct ov_slice){bytes->data, bytes->len});
}

static void render_string(struct ov_buf *out, const char *name, const char *text)
{
    if (text)
        ov_buf_printf(out, " %s=%s", name, text);
}

static const char *render(struct ov_buf *out, const struct redis_url *url)
{
    static const char *const schemes[] = {
        [REDIS_TCP] = "redis://", [REDIS_SECURE] = "rediss://", [REDIS_UNIX] = "unix://",
    };
    ov_buf_reset(out);
    ov_buf_str(out, schemes[url->scheme]);
    redis_url_place(url, out);
    ov_buf_str(out, url->scheme == REDIS_UNIX ? "?db=" : "/");
    ov_buf_int(out, url->db);
    render_bytes(out, "user", &url->user);
    render_bytes(out, "password", &url->password);
    render_string(out, "ca", url->ca);
    render_string(out, "cert", url->cert);
    render_string(out, "key", url->key);
    render_string(out, "name", url->server_name);
    ov_buf_str(out, url->insecure ? " insecure" : "");
    ov_buf_str(out, url->any_name ? " any_name" : "");
    return ov_buf_text(out);
}

static void test_accepted(void **state)
{
    static const struct {
        const char *url, *expected;
    } rows[] = {
        {"redis://", "redis://localhost:6379/0"},
        {"redis://h", "redis://h:6379/0"},
        {"redis://h:", "redis://h:6379/0"},
        {"redis://h/", "redis://h:6379/0"},
        {"redis://h:1", "redis://h:1/0"},
        {"redis://h:65535/15", "redis://h:65535/15"},
        {"redis://h//3/", "redis://h:6379/3"},
        {"redis://:6380", "redis://localhost:6380/0"},
        {"redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"},
        {"redis://[::1]:7", "redis://[::1]:7/0"},
        {"redis://[::1]/2", "redis://[::1]:6379/2"},
        {"redis://[fe80::1%25eth0]", "redis://[fe80::1%eth0]:6379/0"},
        {"rediss://h", "rediss://h:6379/0"},
        {"redis://a%2eb", "redis://a.b:6379/0"},
        {"redis://h%0a", "redis://h\\n:6379/0"},
        /* who */
        {"redis://u:p@h", "redis://h:6379/0 user=u password=p"},
        {"redis://:p@h", "redis://h:6379/0 password=p"},
        {"redis://u@h", "redis://h:6379/0 user=u"},
        {"redis://u:@h", "redis://h:6379/0 user=u"},
        {"redis://:@h", "redis://h:6379/0"},
        {"redis://:p@", "redis://localhost:6379/0 password=p"},
        {"redis://:a@b:c@h", "redis://h:6379/0 password=a@b:c"},
        {"redis://:p%40ss%3Aw%2Frd%23%25%24%20%7Bx%7D%27%22%5C@h",
         "redis://h:6379/0 password=p@ss:w/rd#%$ {x}'\"\\"},
        {"redis://:%00%ff%0A@h", "redis://h:6379/0 password=\\x00\\xff\\n"},
        {"redis://:a+b@h", "redis://h:6379/0 password=a+b"},
        {"redis://%3A:p@h", "redis://h:6379/0 user=: password=p"},
        /* the query */
        {"redis://h?db=4", "redis://h:6379/4"},
        {"redis://h/3?db=4", "redis://h:6379/4"},
        {"redis://h/x?db=4", "redis://h:6379/4"},
        {"redis://h/3?db=", "redis://h:6379/3"},
        {"redis://h?db=1&db=2", "redis://h:6379/1"},
        {"redis://h?username=u&password=a%26b+c", "redis://h:6379/0 user=u password=a&b c"},
        {"redis://x:y@h?username=u&password=p", "redis://h:6379/0 user=x password=y"},
        {"redis://h?", "redis://h:6379/0"},
        {"redis://h?&&=&a&=b", "redis://h:6379/0"},
        {"redis://h?socket_timeout=1.5&decode_responses=True&protocol=3&health_check_interval=9",
         "redis://h:6379/0"},
        {"redis://h?other=%zz", "redis://h:6379/0"},
        {"rediss://h?ssl_cert_reqs=none", "rediss://h:6379/0 insecure"},
        {"rediss://h?ssl_cert_reqs=required&ssl_ca_certs=/c%20a", "rediss://h:6379/0 ca=/c a"},
        {"rediss://h?ssl_cert_reqs=optional&ssl_ca_path=/c", "rediss://h:6379/0 ca=/c"},
        {"rediss://h?ssl_certfile=c&ssl_keyfile=k", "rediss://h:6379/0 cert=c key=k"},
        {"rediss://h?ssl_check_hostname=False", "rediss://h:6379/0 any_name"},
        {"rediss://h?ssl_check_hostname=true", "rediss://h:6379/0"},
        /* sockets */
        {"unix:///run/r.sock", "unix:///run/r.sock?db=0"},
        {"unix:///run/r.sock?db=2", "unix:///run/r.sock?db=2"},
        {"unix:///a%20b/r@s", "unix:///a b/r@s?db=0"},
        {"unix://u:p@/r", "unix:///r?db=0 user=u password=p"},
        {"unix://:p%2F@/r?password=q", "unix:///r?db=0 password=p/"},
    };
    struct ov_buf why = {0}, out = {0};
    int failed = 0;
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct redis_url url;
        bool good = redis_url_parse(rows[i].url, &url, &why);
        const char *got = good ? render(&out, &url) : ov_buf_text(&why);
        if (!good || strcmp(got, rows[i].expected)) {
            print_error("%s\n  expected %s\n  got      %s\n", rows[i].url, rows[i].expected, got);
            failed++;
        }
        redis_url_free(&url);
    }
    ov_buf_free(&why);
    ov_buf_free(&out);
    assert_int_equal(failed, 0);
}

static char long_path[256] = "unix:///";

static void test_refused(void **state)
{
    static const struct {
        const char *url, *reason;
    } rows[] = {
        {"", "begins with redis://"},
        {"redis", "begins with redis://"},
        {"redis:", "begins with redis://"},
        {"redis:/SECRET", "begins with redis://"},
        {"REDIS://SECRET", "begins with redis://"},
        {"http://SECRET", "begins with redis://"},
        {"redis+unix:///SECRET", "begins with redis://"},
        {"SECRET:6379", "begins with redis://"},
        {" redis://SECRET", "begins with redis://"},
        {"redis://h:0", "port"},
        {"redis://h:65536", "port"},
        {"redis://h:99999999999999999999", "port"},
        {"redis://h:-1", "port"},
        {"redis://h:+1", "port"},
        {"redis://h: 1", "port"},
        {"redis://h:0x1", "port"},
        {"redis://:SECRET@h:x", "port"},
        {"redis://h:SECRET", "port"},
        {"redis://::1", "brackets"},
        {"redis://::1:6379", "brackets"},
        {"redis://u:SECRET:h:1", "brackets"},
        {"redis://[::1", "brackets"},
        {"redis://[]", "brackets"},
        {"redis://[::1]x", "junk"},
        {"redis://[::1]x1", "port"},
        {"redis://h/SECRET", "database"},
        {"redis://h/-1", "database"},
        {"redis://h/1.5", "database"},
        {"redis://h/1/2", "database"},
        {"redis://h/2147483648", "database"},
        {"redis://h?db=SECRET", "database"},
        {"redis://h?db=-1", "database"},
        {"redis://:SEC/RET@h", "%2F"},
        {"redis://:SEC?RET@h", "%3F"},
        {"redis://:SEC#RET@h", "%23"},
        {"redis://h/0#x", "%23"},
        {"redis://:SEC\nRET@h", "control byte"},
        {"redis://h\t", "control byte"},
        {"redis://:SEC%RET@h", "hexadecimal"},
        {"redis://:SECRET%@h", "hexadecimal"},
        {"redis://:SECRET%4@h", "hexadecimal"},
        {"redis://:%+1@h", "hexadecimal"},
        {"redis://h%2", "hexadecimal"},
        {"redis://h?password=SECRET%2", "hexadecimal"},
        {"redis://h%00x", "NUL"},
        {"unix:///a%00b", "NUL"},
        {"rediss://h?ssl_ca_certs=%00", "NUL"},
        {"rediss://h?ssl_cert_reqs=SECRET", "ssl_cert_reqs"},
        {"unix://", "path of a socket"},
        {"unix:///", "path of a socket"},
        {"unix://?db=1", "path of a socket"},
        {"unix://SECRET/x", "absolute path"},
        {"unix://:p@SECRET/x", "absolute path"},
        {long_path, "107"},
    };
    struct ov_buf why = {0};
    int failed = 0;
    (void)state;
    memset(long_path + 8, 'x', 107);
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct redis_url url;
        bool good = redis_url_parse(rows[i].url, &url, &why);
        const char *got = good ? "accepted" : ov_buf_text(&why);
        if (good || !strstr(got, rows[i].reason) || strstr(got, "SEC") || strstr(got, "RET")) {
            print_error("%s\n  expected %s\n  got      %s\n", rows[i].url, rows[i].reason, got);
            failed++;
        }
        redis_url_free(&url);
    }
    ov_buf_free(&why);
    assert_int_equal(failed, 0);
}

/* Every prefix of an address and every single byte put into it: nothing crashes, and what is
 * refused has a reason. */
static void test_mangled(void **state)
{
    static const char whole[] = "rediss://us%65r:p%40ss@[::1]:6379/3?db=4&ssl_ca_certs=%2Fca";
    struct ov_buf why = {0};
    (void)state;
    for (size_t at = 0; at < sizeof whole; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[sizeof whole];
            struct redis_url url;
            memcpy(text, whole, sizeof whole);
            text[at] = (char)byte;
            text[sizeof whole - 1] = '\0';
            ov_buf_reset(&why);
            if (!redis_url_parse(text, &url, &why))
                assert_true(why.len > 0);
            redis_url_free(&url);
        }
    }
    ov_buf_free(&why);
}

static void test_options(void **state)
{
    static struct {
        struct redis_options options;
        const char *expected;
    } rows[] = {
        {{.url = NULL}, "redis://localhost:6379/0"},
        {{.url = (char *)"redis://u:p@h", .password = (char *)"%41:@/"},
         "redis://h:6379/0 user=u password=%41:@/"},
        {{.url = (char *)"redis://u:p@h", .user = (char *)"v", .password = (char *)""},
         "redis://h:6379/0 user=v"},
        {{.url = (char *)"rediss://h?ssl_ca_certs=a&ssl_certfile=b",
          .tls = {.ca = (char *)"c", .server_name = (char *)"n", .insecure = true}},
         "rediss://h:6379/0 ca=c cert=b name=n insecure"},
        {{.url = (char *)"rediss://h?ssl_cert_reqs=none", .tls = {.key = (char *)"k"}},
         "rediss://h:6379/0 key=k insecure"},
    };
    struct ov_buf why = {0}, out = {0};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct redis_url url;
        assert_true(redis_url_from_options(&rows[i].options, &url, &why));
        assert_string_equal(render(&out, &url), rows[i].expected);
        redis_url_free(&url);
    }
    ov_buf_free(&why);
    ov_buf_free(&out);
}

/* ---------------------------------------------------------------- the check */

struct ov_check {
    struct ov_buf said;
};

void ov_check_error(struct ov_check *check, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ov_buf_printf(&check->said, "%s: ", name);
    ov_buf_vprintf(&check->said, format, args);
    ov_buf_char(&check->said, '\n');
    va_end(args);
}

static void test_check(void **state)
{
    static const struct {
        struct redis_options options;
        const char *said; /* NULL: nothing */
    } rows[] = {
        {{.url = (char *)"redis://h"}, NULL},
        {{.url = (char *)"rediss://h", .tls = {.cert = (char *)"c"}}, NULL},
        {{.url = (char *)"rediss://h", .tls = {.insecure = true}}, NULL},
        {{.url = (char *)"rediss://h?ssl_certfile=c", .tls = {.key = (char *)"k"}}, NULL},
        {{.url = (char *)"redis://h?ssl_ca_certs=c"}, NULL},
        {{.url = (char *)"redis://:SECRET@h:x"}, "url: the port"},
        {{.url = (char *)"redis://h", .tls = {.ca = (char *)"c"}}, "tls.ca: has no meaning"},
        {{.url = (char *)"redis://h", .tls = {.insecure = true}}, "tls.insecure: has no meaning"},
        {{.url = (char *)"unix:///r", .tls = {.key = (char *)"c"}}, "tls.key: has no meaning"},
        {{.url = (char *)"rediss://h", .tls = {.key = (char *)"c"}}, "tls.key: needs `cert`"},
        {{.url = (char *)"rediss://h", .tls = {.ca = (char *)"c", .insecure = true}},
         "tls.insecure: contradicts `ca`"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_check check = {{0}};
        redis_options_check(&rows[i].options, &check);
        const char *said = ov_buf_text(&check.said);
        if (rows[i].said ? strstr(said, rows[i].said) != said : *said != '\0')
            fail_msg("row %zu said: %s", i, said);
        assert_null(strstr(said, "SECRET"));
        ov_buf_free(&check.said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_mangled),  cmocka_unit_test(test_options),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
