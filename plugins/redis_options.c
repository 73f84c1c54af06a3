/* SPDX-License-Identifier: Apache-2.0 */
/* The options every Redis plugin has, and what their table cannot say: the form of the address,
 * and that the parts go together. */
#include "redis_url.h"

#define TLS_OFFSET(member)                                                                         \
    (offsetof(struct redis_options, tls.member) - offsetof(struct redis_options, tls))

const struct ov_option redis_tls_options[] = {
    {
        .name = "ca", .type = OV_OPT_STRING, .offset = TLS_OFFSET(ca),
        .help = "file (PEM) or folder of the authorities to trust, in place of the system's"
    },
    {
        .name = "cert", .type = OV_OPT_STRING, .offset = TLS_OFFSET(cert),
        .help = "client certificate (PEM), where the server asks for one"
    },
    {
        .name = "key", .type = OV_OPT_STRING, .offset = TLS_OFFSET(key),
        .help = "private key (PEM) of the client certificate, unless `cert` holds it too"
    },
    {
        .name = "server_name", .type = OV_OPT_STRING, .offset = TLS_OFFSET(server_name),
        .help = "name the server's certificate must bear, in place of the address's host"
    },
    {
        .name = "insecure", .type = OV_OPT_BOOL, .offset = TLS_OFFSET(insecure),
        .fallback = "false",
        .help = "do not verify the server: anyone in between can read and change everything"
    },
    {0},
};

static void check_tls_unused(const struct redis_options *options, struct ov_check *check)
{
    const struct {
        const char *name;
        bool given;
    } rows[] = {
        {"tls.ca", options->tls.ca != NULL},
        {"tls.cert", options->tls.cert != NULL},
        {"tls.key", options->tls.key != NULL},
        {"tls.server_name", options->tls.server_name != NULL},
        {"tls.insecure", options->tls.insecure},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++)
        if (rows[i].given)
            ov_check_error(check, rows[i].name,
                           "has no meaning unless the address begins with rediss://");
}

void redis_options_check(const struct redis_options *options, struct ov_check *check)
{
    struct redis_url url;
    struct ov_buf why = {0};
    if (!redis_url_from_options(options, &url, &why))
        ov_check_error(check, "url", "%s", ov_buf_text(&why));
    else if (url.scheme != REDIS_SECURE)
        check_tls_unused(options, check);
    else if (url.key && !url.cert)
        ov_check_error(check, "tls.key", "needs `cert` beside it");
    else if (options->tls.insecure && options->tls.ca)
        ov_check_error(check, "tls.insecure", "contradicts `ca`: nothing would be verified");
    redis_url_free(&url);
    ov_buf_free(&why);
}
