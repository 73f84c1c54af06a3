/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that findings end with, ready to be pasted into a shell. */
#include <math.h>
#include <stdio.h>

#include "diagnose.h"
#include "shell.h"

void next_omnivigil(struct look *look, struct finding *f, const char *words, struct ov_slice topic,
                    struct ov_slice agent)
{
    const char *same = ov_call_again(look->call);
    ov_buf_reset(&f->next);
    ov_buf_printf(&f->next, "omnivigil %s%s%s", words, *same ? " " : "", same);
    size_t before = f->next.len;
    if (agent.len) {
        ov_buf_str(&f->next, " --agent");
        if (!shell_pattern(&f->next, agent))
            f->next.len = before;
    }
    before = f->next.len;
    if (topic.len && *topic.ptr == '-')
        ov_buf_str(&f->next, " --");
    if (topic.len && !shell_word(&f->next, topic))
        f->next.len = before;
}

/* The server, and as whom; a password is asked for. */
static bool put_server(struct ov_buf *line, const struct redis_url *url)
{
    char port[16];
    const struct { bool given; const char *flag, *value; } words[] = {
        {url->path != NULL, "-s", url->path},
        {url->host != NULL, "-h", url->host},
        {url->host != NULL, "-p", port},
        {url->db > 0, "-n", NULL},
        {url->scheme == REDIS_SECURE && url->ca, "--cacert", url->ca},
        {url->scheme == REDIS_SECURE && url->cert, "--cert", url->cert},
        {url->scheme == REDIS_SECURE && url->key, "--key", url->key},
        {url->scheme == REDIS_SECURE && url->server_name, "--sni", url->server_name},
    };
    snprintf(port, sizeof port, "%u", (unsigned)url->port);
    ov_buf_str(line, "redis-cli");
    if (url->scheme == REDIS_SECURE)
        ov_buf_printf(line, " --tls%s", url->insecure ? " --insecure" : "");
    for (size_t i = 0; i < OV_COUNT(words); i++) {
        if (!words[i].given)
            continue;
        ov_buf_printf(line, " %s", words[i].flag);
        if (!words[i].value)
            ov_buf_printf(line, " %jd", (intmax_t)url->db);
        else if (!shell_word(line, ov_slice(words[i].value)))
            return false;
    }
    if (url->user.len) {
        ov_buf_str(line, " --user");
        if (!shell_word(line, (struct ov_slice){url->user.data, url->user.len}))
            return false;
    }
    ov_buf_str(line, url->password.len ? " --askpass" : "");
    return true;
}

void next_redis(struct look *look, struct finding *f, const char *words,
                const struct ov_slice *names, size_t count)
{
    ov_buf_reset(&f->next);
    bool typed = put_server(&f->next, &look->url);
    ov_buf_printf(&f->next, " %s", words);
    for (size_t i = 0; i < count && typed; i++)
        typed = shell_word(&f->next, names[i]);
    if (!typed)
        next_omnivigil(look, f, "bus groups", NOBODYS, NOBODYS);
}

void put_duration(struct ov_buf *out, double seconds)
{
    const struct { double least, unit; const char *name; } units[] = {
        {2 * 86400, 86400, "days"}, {2 * 3600, 3600, "h"}, {120, 60, "min"}, {0, 1, "s"},
    };
    size_t i = 0;
    seconds = seconds > 0 ? seconds : 0;
    while (seconds < units[i].least)
        i++;
    double value = seconds / units[i].unit;
    ov_buf_double(out, value < 10 ? round(value * 10) / 10 : round(value));
    ov_buf_printf(out, " %s", units[i].name);
}
