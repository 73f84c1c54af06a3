/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: what they make of values, and that every mistake is told at its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "template.h"

static const char *const item_names[] = {"summary", "value", "gone", "state", NULL};
static const char *const message_names[] = {"alerts", NULL};
static const char *const field_names[] = {"age_seconds", "pending", NULL};

static const struct template_names open_names = {.item = item_names, .message = message_names};
static const struct template_names closed_names = {
    .item = item_names, .message = message_names, .fields = field_names, .tags = field_names,
};

/* Item 0 is "a \"b\"\n", 1.5; every further one has its number. */
static enum template_kind value_of(void *context, size_t item, struct ov_slice name,
                                   struct ov_buf *out)
{
    (void)context;
    if (ov_slice_eq(name, OV_SLICE("summary"))) {
        if (item == 0)
            ov_buf_str(out, "a \"b\"&\n");
        else
            ov_buf_printf(out, "item %zu", item);
        return TEMPLATE_TEXT;
    }
    if (ov_slice_eq(name, OV_SLICE("value")) || ov_slice_eq(name, OV_SLICE("alerts"))) {
        ov_buf_str(out, *name.ptr == 'v' ? "1.5" : "3");
        return TEMPLATE_LITERAL;
    }
    if (ov_slice_eq(name, OV_SLICE("gone")))
        return TEMPLATE_ABSENT;
    ov_buf_char(out, '<');
    ov_buf_slice(out, name);
    ov_buf_char(out, '>');
    return TEMPLATE_TEXT;
}

static void collect(void *context, size_t line, size_t column, const char *what)
{
    ov_buf_printf(context, "%zu:%zu: %s\n", line, column, what);
}

static void test_rendered(void **state)
{
    (void)state;
    static const struct { const char *text, *result; } rows[] = {
        {"", ""},
        {"\n", ""},
        {"no places {at} all }} \\", "no places {at} all }} \\"},
        {"{{summary}}", "a \"b\"&\n"},
        {"{{ summary }}|{{\tvalue\n}}", "a \"b\"&\n|1.5"},
        {"{{summary|json}}", "\"a \\\"b\\\"&\\n\""},
        {"{{ summary | url }}", "a%20%22b%22%26%0A"},
        {"{{value}} {{value|json}} {{value|url}}", "1.5 1.5 1.5"},
        {"[{{gone}}] [{{gone|json}}] [{{gone|url}}]", "[] [null] []"},
        {"{\"x\":{{value}}}", "{\"x\":1.5}"},
        {"{{tags.any-thing.at_all}} {{fields.x}}", "<tags.any-thing.at_all> <fields.x>"},
        {"{{alerts}}: {{#each}}<{{value}}>{{/each}}!", "3: <1.5><1.5><1.5>!"},
        {"{{#each \", \"}}{{value}}{{/each}}", "1.5, 1.5, 1.5"},
        {"{{#each \"\"}}{{value}}{{/each}}", "1.51.51.5"},
        {"{{#each \",\"}}{{/each}}", ",,"},
        {"{{#each}}{{alerts}}{{/each}}", "333"},
        {"[\n  {{#each \",\"}}  \n  {{value}}\n{{/each}}\n]\n", "[\n  1.5\n,  1.5\n,  1.5\n]"},
        {"a {{! a remark }} b", "a  b"},
        {"a\n  {{! alone }}\nb", "a\nb"},
        {"{{!}}", ""},
        {"{{! over\ntwo lines }}\nx", "x"},
        {"{{value}} {{! not alone }}\nx", "1.5 \nx"},
        {"x\r\n{{#each}}\r\ny{{/each}}", "x\r\nyyy"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf out = {0}, why = {0};
        bool each = strstr(rows[i].text, "#each");
        struct template *t = template_new(ov_slice(rows[i].text), &open_names, collect, &why);
        if (!t)
            fail_msg("%s: %s", rows[i].text, ov_buf_text(&why));
        template_render(t, 3, value_of, NULL, &out);
        if (strcmp(ov_buf_text(&out), rows[i].result) != 0)
            fail_msg("%s\ngives: %s\nnot:   %s", rows[i].text, out.data, rows[i].result);
        if (template_is_grouped(t) != each)
            fail_msg("%s: grouped", rows[i].text);
        template_free(t);
        ov_buf_free(&out);
        ov_buf_free(&why);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct { const char *text, *complaints; } rows[] = {
        {"{{", "1:1: {{ without }} after it\n"},
        {"ab\nc{{summary}\n", "2:2: {{ without }} after it\n"},
        {"{{}}", "1:1: a name is missing between {{ and }}\n"},
        {"{{ | json }}", "1:1: a name is missing between {{ and }}\n"},
        {"x {{sumary}}", "1:3: unknown name `sumary` (did you mean `summary`?)\n"},
        {"{{Summary}}", "1:1: unknown name `Summary` (did you mean `summary`?)\n"},
        {"{{alert}}", "1:1: unknown name `alert` (did you mean `alerts`?)\n"},
        {"{{something_else}}", "1:1: unknown name `something_else`\n"},
        {"{{a b}}", "1:1: unknown name `a b`\n"},
        {"{{summary|xml}}", "1:1: unknown filter: there are |json and |url\n"},
        {"{{summary|json|url}}", "1:1: unknown filter: there are |json and |url\n"},
        {"{{summary|}}", "1:1: unknown filter: there are |json and |url\n"},
        {"{{tags.}}", "1:1: unknown name `tags.`\n"},
        {"{{tags}}", "1:1: unknown name `tags`\n"},
        {"{{fields.age_second}}",
         "1:1: unknown name `fields.age_second` (did you mean `age_seconds`?)\n"},
        {"{{fields.}}", "1:1: unknown name `fields.`\n"},
        {"{{tags.summary}}", "1:1: unknown name `tags.summary`\n"},
        {"{{{summary}}}", "1:1: unknown name `{summary` (did you mean `summary`?)\n"},
        {"{{&summary}}", "1:1: there are only {{#each}} and {{/each}}\n"},
        {"{{#if x}}", "1:1: there are only {{#each}} and {{/each}}\n"},
        {"{{#eachx}}", "1:1: there are only {{#each}} and {{/each}}\n"},
        {"{{> partial}}", "1:1: there are only {{#each}} and {{/each}}\n"},
        {"{{#each}}", "1:1: {{#each}} without {{/each}} after it\n"},
        {"{{/each}}", "1:1: {{/each}} without {{#each}} before it\n"},
        {"{{#each}}{{/each}}{{/each}}", "1:19: {{/each}} without {{#each}} before it\n"},
        {"{{#each}}{{/each}}\n{{#each}}{{/each}}", "2:1: there can be only one {{#each}}\n"},
        {"{{#each ,}}{{/each}}",
         "1:1: {{#each}} takes nothing, or a text in quotes: {{#each \",\"}}\n"},
        {"{{#each \"}}{{/each}}",
         "1:1: {{#each}} takes nothing, or a text in quotes: {{#each \",\"}}\n"},
        {"{{#each}}{{/each}} {{value}}",
         "1:20: `value` is of one item: use it between {{#each}} and {{/each}}\n"},
        {"{{a_}}\n\n {{b_}}", "1:1: unknown name `a_`\n3:2: unknown name `b_`\n"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf why = {0};
        struct template *t = template_new(ov_slice(rows[i].text), &closed_names, collect, &why);
        if (t || strcmp(ov_buf_text(&why), rows[i].complaints) != 0)
            fail_msg("%s: %s", rows[i].text, ov_buf_text(&why));
        ov_buf_free(&why);
    }
    struct ov_buf why = {0};
    assert_null(template_new(OV_SLICE("a\nb\0{{summary}}"), &open_names, collect, &why));
    assert_string_equal(ov_buf_text(&why), "2:2: a NUL byte: this is no text\n");
    ov_buf_free(&why);
}

static void test_no_items(void **state)
{
    (void)state;
    struct ov_buf out = {0};
    struct template *t = template_new(OV_SLICE("[{{#each \",\"}}{{value}}{{/each}}]"), &open_names,
                                      collect, NULL);
    template_render(t, 0, value_of, NULL, &out);
    assert_string_equal(ov_buf_text(&out), "[]");
    template_free(t);
    template_free(NULL);
    ov_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rendered), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
