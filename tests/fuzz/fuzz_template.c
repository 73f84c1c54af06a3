/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: any bytes are either refused with a complaint that has a place in the text, or render
 * any number of items, with any bytes as values. */
#include <stdlib.h>

#include "template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    struct ov_slice text;
    size_t complaints;
};

static void complain(void *context, size_t line, size_t column, const char *what)
{
    struct input *input = context;
    size_t lines = 1;
    for (size_t i = 0; i < input->text.len; i++)
        lines += input->text.ptr[i] == '\n';
    if (line < 1 || line > lines || column < 1 || column > input->text.len || !*what)
        abort();
    input->complaints++;
}

static enum template_kind value_of(void *context, size_t item, struct ov_slice name,
                                   struct ov_buf *out)
{
    const struct input *input = context;
    if (!name.len || item > 2)
        abort();
    ov_buf_add(out, input->text.ptr, input->text.len < 40 ? input->text.len : 40);
    return (enum template_kind)(name.len % 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const items[] = {"a", "summary", NULL}, *const whole[] = {"n", NULL};
    struct template_names names = {.item = items, .message = whole,
                                   .fields = size % 2 ? items : NULL};
    struct input input = {.text = {(const char *)data, size < 2000 ? size : 2000}};
    struct ov_buf out = {0};
    struct template *template = template_new(input.text, &names, complain, &input);
    if (!template != (input.complaints > 0))
        abort();
    if (template)
        template_render(template, size % 4, value_of, &input, &out);
    template_free(template);
    ov_buf_free(&out);
    return 0;
}
