/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "icinga_name.h"
#include "utf8.h"

struct icinga_names {
    struct template *host, *service;
    bool of_rules;
};

static const char *const offered[] = {
    "rule", "topic", "agent", "group", "input", "subject", NULL,
};
static const char *const none[] = {NULL};

struct asking {
    const struct ov_sample *sample; /* NULL: of nothing in particular */
    bool beyond_rule;               /* another name than the rule's was asked for */
};

static struct ov_slice tag_of(const struct ov_sample *sample, struct ov_slice name)
{
    for (size_t i = 0; sample && i < sample->measurement->tag_count; i++)
        if (ov_slice_eq(ov_slice(sample->measurement->tags[i]), name))
            return sample->tags[i];
    return (struct ov_slice){0};
}

static enum template_kind value_of(void *context, size_t item, struct ov_slice name,
                                   struct ov_buf *out)
{
    struct asking *asking = context;
    (void)item;
    asking->beyond_rule |= !ov_slice_eq(name, OV_SLICE("rule"));
    ov_buf_slice(out, tag_of(asking->sample, name));
    return TEMPLATE_TEXT;
}

struct icinga_names *icinga_names_new(const char *host, const char *service,
                                      template_complaint *complain_host,
                                      template_complaint *complain_service, void *context)
{
    const struct template_names may = {
        .item = offered, .message = none, .fields = none, .tags = none,
    };
    struct icinga_names *names = ov_calloc(1, sizeof *names);
    names->host = template_new(ov_slice(host), &may, complain_host, context);
    names->service = template_new(ov_slice(service), &may, complain_service, context);
    if (!names->host || !names->service) {
        icinga_names_free(names);
        return NULL;
    }
    struct asking asking = {0};
    struct ov_buf nothing = {0};
    template_render(names->host, 1, value_of, &asking, &nothing);
    template_render(names->service, 1, value_of, &asking, &nothing);
    ov_buf_free(&nothing);
    names->of_rules = !asking.beyond_rule;
    return names;
}

void icinga_names_free(struct icinga_names *names)
{
    if (!names)
        return;
    template_free(names->host);
    template_free(names->service);
    free(names);
}

bool icinga_names_are_of_rules(const struct icinga_names *names)
{
    return names->of_rules;
}

/* Appends `text` as far as a name can hold it. Returns whether anything is left of it. */
static bool put_clean(struct ov_buf *out, struct ov_slice text)
{
    size_t start = out->len;
    bool blank = false;
    for (size_t i = 0; i < text.len;) {
        const char *c = text.ptr + i;
        size_t len = ov_utf8_len(c, text.len - i);
        i += len ? len : 1;
        if (strchr(" \t\r\n", *c) && *c) {
            blank = out->len > start;
            continue;
        }
        if (out->len - start + blank + len > ICINGA_NAME_MAX)
            break;
        if (blank)
            ov_buf_char(out, ' ');
        blank = false;
        if (len == 0 || (len == 1 && ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '!')))
            ov_buf_char(out, '_');
        else
            ov_buf_add(out, c, len);
    }
    return out->len > start;
}

static void put(const struct template *template, const struct ov_sample *sample,
                struct ov_buf *out)
{
    struct asking asking = {.sample = sample};
    struct ov_buf text = {0};
    template_render(template, 1, value_of, &asking, &text);
    if (!put_clean(out, (struct ov_slice){text.data, text.len}) &&
        !put_clean(out, tag_of(sample, OV_SLICE("rule"))))
        ov_buf_str(out, "omnidaemon");
    ov_buf_free(&text);
}

void icinga_name_put(const struct icinga_names *names, const struct ov_sample *sample,
                     struct ov_buf *out)
{
    put(names->host, sample, out);
    ov_buf_char(out, '!');
    put(names->service, sample, out);
}

void icinga_name_fixed(const struct icinga_names *names, const char *service, struct ov_buf *out)
{
    put(names->host, NULL, out);
    ov_buf_char(out, '!');
    put_clean(out, ov_slice(service));
}
