/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <poll.h>

#include "omni.h"

const char *const omni_backend_names[] = {[OMNI_JSON] = "json", [OMNI_REDIS] = "redis", NULL};

static struct ov_slice key_slice(const struct ov_buf *key)
{
    return (struct ov_slice){key->data, key->len};
}

struct ov_slice omni_stream_key(struct ov_buf *key, struct ov_slice topic)
{
    ov_buf_reset(key);
    ov_buf_slice(key, OMNI_STREAM_PREFIX);
    ov_buf_slice(key, topic);
    return key_slice(key);
}

struct ov_slice omni_dlq_key(struct ov_buf *key, struct ov_slice group)
{
    ov_buf_reset(key);
    ov_buf_slice(key, OMNI_DLQ_PREFIX);
    ov_buf_slice(key, group);
    return key_slice(key);
}

struct ov_slice omni_group_name(struct ov_buf *key, struct ov_slice topic, struct ov_slice agent)
{
    ov_buf_reset(key);
    ov_buf_str(key, "group:");
    ov_buf_slice(key, topic);
    ov_buf_char(key, ':');
    ov_buf_slice(key, agent);
    return key_slice(key);
}

struct ov_slice omni_storage_key(struct ov_buf *key, const char *prefix, const char *kind,
                                 struct ov_slice topic, struct ov_slice agent)
{
    ov_buf_reset(key);
    ov_buf_str(key, prefix);
    ov_buf_char(key, ':');
    ov_buf_str(key, kind);
    if (topic.ptr) {
        ov_buf_char(key, ':');
        ov_buf_slice(key, topic);
    }
    if (agent.ptr) {
        ov_buf_char(key, ':');
        ov_buf_slice(key, agent);
    }
    return key_slice(key);
}

struct ov_slice omni_config_key(struct ov_buf *key, const char *prefix, const char *name,
                                struct ov_slice rest)
{
    ov_buf_reset(key);
    ov_buf_str(key, prefix);
    ov_buf_str(key, ":config:");
    ov_buf_str(key, name);
    ov_buf_slice(key, rest);
    return key_slice(key);
}

bool omni_group_agent(struct ov_slice group, struct ov_slice topic, struct ov_slice *agent)
{
    const struct ov_slice head = OV_SLICE("group:");
    size_t skip = head.len + topic.len + 1;
    if (group.len <= skip || !ov_slice_starts(group, head) ||
        (topic.len && memcmp(group.ptr + head.len, topic.ptr, topic.len) != 0) ||
        group.ptr[skip - 1] != ':')
        return false;
    *agent = (struct ov_slice){group.ptr + skip, group.len - skip};
    return true;
}

void omni_pause(struct ov_host *host, int64_t ms)
{
    struct pollfd stop = {.fd = ov_host_stop_fd(host), .events = POLLIN};
    int64_t half = (ov_host_deadline(host) - ov_clock_ms()) / 2;
    if (half > 0)
        poll(&stop, 1, (int)(ms < half ? ms : half));
}

double omni_age(int64_t now_ms, uint64_t at_ms)
{
    const uint64_t first_plausible = UINT64_C(1000000000000), day = 86400000;
    if (at_ms < first_plausible || now_ms < 0 || at_ms > (uint64_t)now_ms + day)
        return (double)NAN;
    return at_ms > (uint64_t)now_ms ? 0 : (double)((uint64_t)now_ms - at_ms) / 1e3;
}
