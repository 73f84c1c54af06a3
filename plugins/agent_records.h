/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Agents as OmniDaemon's storage describes them: what nobody measures. Say which are wanted, then
 * read them all at once:
 *
 *     agent_records_want(&all, topic, agent)          ... any number of times
 *     agent_records_read(&all, options, redis)
 *     agent_record_of(&all, topic, agent)
 */
#ifndef AGENT_RECORDS_H
#define AGENT_RECORDS_H

#include "omni.h"
#include "pairs.h"

enum agent_text {
    AGENT_CALLBACK, AGENT_DESCRIPTION, AGENT_TOOLS, AGENT_CONFIG, AGENT_CREATED, AGENT_TEXTS,
};

struct agent_record {
    struct pair name;                   /* topic, agent */
    struct agent_records *all;
    bool found;
    struct ov_buf texts[AGENT_TEXTS];   /* as stored: tools and config are JSON, unless somebody
                                         * else wrote them; empty where there is none */
};

/* Start with {0}. */
struct agent_records {
    struct pairs wanted;                /* struct agent_record */
    const struct omni_options *omni;
    struct ov_buf key;
    struct ov_buf why;                  /* why something could not be read; empty: all was */
};

void agent_records_want(struct agent_records *all, struct ov_slice topic, struct ov_slice agent);
/* Fails as redis_run does; what is refused or damaged is no failure but `why`. A text that is
 * longer than AGENT_TEXT_MAX is not read: it says so instead. */
#define AGENT_TEXT_MAX ((size_t)64 * 1024)
int agent_records_read(struct agent_records *all, const struct omni_options *omni,
                       struct redis *redis) OV_MUST_CHECK;
/* NULL where storage has no such agent. */
const struct agent_record *agent_record_of(const struct agent_records *all, struct ov_slice topic,
                                           struct ov_slice agent);
void agent_records_free(struct agent_records *all);

#endif
