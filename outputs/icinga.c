/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output `icinga`: the state of services in Icinga 2, set by passive check results over its
 * API, so that alerts of the agent are states there. This file is the configuration: what can be
 * said, what must not, and what is made of it.
 */
#include <stdlib.h>
#include <unistd.h>

#include "icinga.h"

#define OPTION(member, kind)                                                                       \
    .name = #member, .type = kind, .offset = offsetof(struct icinga, member)

static const struct ov_option options[] = {
    {OPTION(url, OV_OPT_STRING), .required = true,
     .help = "address of Icinga's API, such as https://icinga.example.org:5665"},
    {OPTION(user, OV_OPT_STRING), .help = "name of the ApiUser; none with a client certificate"},
    {OPTION(password, OV_OPT_STRING), .secret = true, .help = "password of the user"},
    {.name = "host", .type = OV_OPT_STRING, .offset = offsetof(struct icinga, host_name),
     .fallback = "omnidaemon",
     .help = "host in Icinga; {{rule}}, {{topic}}, {{agent}}, {{group}}, {{input}} and {{subject}} "
             "are an alert's tags"},
    {OPTION(service, OV_OPT_STRING), .fallback = "{{rule}}",
     .help = "service of that host which an alert is about, with the same names"},
    {OPTION(heartbeat, OV_OPT_STRING), .fallback = "omnivigil",
     .help = "service that is told at each refresh that the agent runs; an empty text for none"},
    {OPTION(create, OV_OPT_STRING),
     .help = "template of Icinga's from which missing services are created; by default none are"},
    {OPTION(check_source, OV_OPT_STRING),
     .help = "what results name as their source; by default this host's name"},
    {.name = "refresh", .type = OV_OPT_DURATION, .offset = offsetof(struct icinga, refresh_ms),
     .fallback = "1m", .min = 1000, .max = INT64_C(86400) * 1000,
     .help = "how often a state that does not change is sent again, at the agent's next interval"},
    {.name = "ttl", .type = OV_OPT_DURATION, .offset = offsetof(struct icinga, ttl_ms),
     .min = 1000, .max = INT64_C(7) * 86400 * 1000,
     .help = "how long Icinga waits for the next result of a service that gets them regularly; by "
             "default three refreshes"},
    {OPTION(tls, OV_OPT_TABLE), .table = post_tls_options,
     .help = "Icinga's certificates are signed by its own authority: name it as `ca`"},
    {0},
};

/* ---------------------------------------------------------------- checks */

/* Where complaints about a template go: the configuration's check, or the error at open. */
struct complaints {
    struct ov_check *check;
    struct ov_host *host;
};

static void complain_about(void *context, const char *option, size_t column, const char *what)
{
    const struct complaints *to = context;
    if (to->check)
        ov_check_error(to->check, option, "%s (at its column %zu)", what, column);
    else
        ov_fail(to->host, "%s: %s", option, what);
}

static void complain_host(void *context, size_t line, size_t column, const char *what)
{
    (void)line;
    complain_about(context, "host", column, what);
}

static void complain_service(void *context, size_t line, size_t column, const char *what)
{
    (void)line;
    complain_about(context, "service", column, what);
}

static struct icinga_names *names_new(const struct icinga *icinga, struct complaints *to)
{
    return icinga_names_new(icinga->host_name, icinga->service, complain_host, complain_service,
                            to);
}

static void icinga_check(void *state, struct ov_check *check)
{
    const struct icinga *icinga = state;
    const char *why = url_refusal(icinga->url);
    if (why)
        ov_check_error(check, "url", "%s", why);
    if (icinga->password && !icinga->user)
        ov_check_error(check, "password", "is of no use without `user`");
    if (icinga->user && strchr(icinga->user, ':'))
        ov_check_error(check, "user", "must not hold a colon");
    if (!*icinga->host_name)
        ov_check_error(check, "host", "is empty");
    if (!*icinga->service)
        ov_check_error(check, "service", "is empty");
    if (strchr(icinga->heartbeat, '!'))
        ov_check_error(check, "heartbeat", "is a service's name alone, without `!`");
    if (icinga->create && !*icinga->create)
        ov_check_error(check, "create", "is empty");
    if (icinga->ttl_ms && icinga->ttl_ms <= icinga->refresh_ms)
        ov_check_error(check, "ttl", "must be longer than `refresh`");
    icinga_names_free(names_new(icinga, &(struct complaints){check, NULL}));
    post_tls_check(&icinga->tls, check);
}

/* ---------------------------------------------------------------- open and close */

static int icinga_open(void *state, struct ov_host *host)
{
    struct icinga *icinga = state;
    icinga->host = host;
    icinga->newest = memory_new();
    icinga->services = icinga_services_new();
    icinga->listed_ms = icinga->beat_ms = INT64_MIN;
    if (gethostname(icinga->own_name, sizeof icinga->own_name - 1) != 0 || !*icinga->own_name)
        memcpy(icinga->own_name, "omnivigil", sizeof "omnivigil");
    icinga->source = icinga->check_source ? icinga->check_source : icinga->own_name;
    icinga->names = names_new(icinga, &(struct complaints){NULL, host});
    if (!icinga->names)
        return OV_FAILED;
    if (!url_make(&icinga->target, icinga->url, "/v1/actions/process-check-result", NULL, 0))
        return ov_fail(host, "the url cannot be used");
    icinga->post = icinga_post_new(icinga, &icinga->target, "POST");
    return icinga->post ? OV_OK : OV_FAILED;
}

static void icinga_close(void *state)
{
    struct icinga *icinga = state;
    post_free(icinga->post);
    url_free(&icinga->target);
    icinga_names_free(icinga->names);
    icinga_services_free(icinga->services);
    memory_free(icinga->newest);
    ov_buf_free(&icinga->key);
    ov_buf_free(&icinga->text);
    ov_buf_free(&icinga->record);
}

OV_PLUGIN = {
    OV_PLUGIN_HEAD,
    .name = "icinga",
    .summary = "sets the state of services in Icinga 2 by passive check results",
    .kind = OV_OUTPUT,
    .precious = true,
    .state_size = sizeof(struct icinga),
    .options = options,
    .check = icinga_check,
    .open = icinga_open,
    .close = icinga_close,
    .encode = icinga_encode,
    .send = icinga_send,
};
