/* SPDX-License-Identifier: Apache-2.0 */
/* The output `icinga`: any bytes as an answer have a verdict, and are a record of the queue or
 * none; what was made of a name and a text is read again as it was. */
#include <stdlib.h>

#include "icinga_answer.h"
#include "icinga_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_answer(struct ov_slice body, long status)
{
    struct post_answer raw = {.status = status, .body = body, .location = ""};
    struct icinga_answer answer = {0};
    icinga_answer_read(&answer, &raw);
    for (size_t i = 0; i < answer.why.len; i++)
        if ((unsigned char)answer.why.data[i] < ' ')
            abort();
    if (!answer.why.len || (answer.verdict != ICINGA_LATER && answer.retry_ms))
        abort();
    ov_buf_free(&answer.why);
}

static void write_record(struct ov_slice text)
{
    struct ov_buf bytes = {0};
    struct icinga_record record;
    struct ov_slice service = OV_SLICE("host!service with blanks");
    icinga_record_put(&bytes, "1-1", &(struct icinga_result){
        .service = service, .output = text, .source = "here", .time_ns = (int64_t)text.len});
    if (!icinga_record_read((struct ov_slice){bytes.data, bytes.len}, &record) ||
        !ov_slice_eq(record.service, service))
        abort();
    ov_buf_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 204, 302, 400, 401, 403, 404, 409, 429, 500, 503};
    struct icinga_record record;
    if (!size)
        return 0;
    char *copy = ov_memdup(data + 1, size - 1);
    struct ov_slice text = {copy, size - 1};
    read_answer(text, statuses[data[0] % OV_COUNT(statuses)]);
    write_record(text);
    if (icinga_record_read(text, &record) &&
        record.body.ptr + record.body.len != text.ptr + text.len)
        abort();
    free(copy);
    return 0;
}
