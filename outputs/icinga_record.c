/* SPDX-License-Identifier: Apache-2.0 */
#include "icinga_record.h"

void icinga_record_put(struct ov_buf *out, const char *word, const struct icinga_result *result)
{
    double at = (double)(result->time_ns / 1000000) / 1e3;
    ov_buf_printf(out, "icinga %s ", word);
    ov_buf_slice(out, result->service);
    ov_buf_str(out, "\n{\"type\":\"Service\",\"service\":");
    ov_buf_json(out, result->service);
    ov_buf_printf(out, ",\"exit_status\":%d,\"plugin_output\":", result->exit_status);
    ov_buf_json(out, result->output);
    ov_buf_str(out, ",\"performance_data\":[");
    ov_buf_slice(out, result->perfdata);
    ov_buf_str(out, "],\"check_source\":");
    ov_buf_json(out, ov_slice(result->source));
    ov_buf_str(out, ",\"execution_start\":");
    ov_buf_double(out, at);
    ov_buf_str(out, ",\"execution_end\":");
    ov_buf_double(out, at);
    if (result->ttl_ms) {
        ov_buf_str(out, ",\"ttl\":");
        ov_buf_double(out, (double)result->ttl_ms / 1e3);
    }
    ov_buf_char(out, '}');
}

bool icinga_record_read(struct ov_slice bytes, struct icinga_record *record)
{
    struct ov_slice begin = OV_SLICE("icinga ");
    if (!ov_slice_starts(bytes, begin))
        return false;
    const char *word = bytes.ptr + begin.len, *end = bytes.ptr + bytes.len;
    const char *line = memchr(word, '\n', (size_t)(end - word));
    const char *blank = line ? memchr(word, ' ', (size_t)(line - word)) : NULL;
    if (!blank || blank == word)
        return false;
    record->word = (struct ov_slice){word, (size_t)(blank - word)};
    record->service = (struct ov_slice){blank + 1, (size_t)(line - blank - 1)};
    record->body = (struct ov_slice){line + 1, (size_t)(end - line - 1)};
    return record->service.len && memchr(record->service.ptr, '!', record->service.len) &&
           record->body.len && *record->body.ptr == '{';
}
