/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong, as a list of findings put together from many places, and what was looked at. Of
 * findings that hang together the cause leads: the others are counted as its consequences.
 *
 *     add findings, note checks ... -> diagnosis_settle -> causes known, worst first
 *
 * Knows nothing of where findings come from; each kind has its row in the table of diagnosis.c.
 */
#ifndef DIAGNOSIS_H
#define DIAGNOSIS_H

#include "omnivigil.h"

/* Of two findings that are equally grave the one whose kind comes first here leads. */
enum ailment {
    AIL_BUS_DOWN, AIL_VERSION, AIL_BUS_TYPE, AIL_OTHER_STORAGE, AIL_STORAGE_DOWN, AIL_NOTHING_HERE,
    AIL_FILE, AIL_SAVE_FAILED, AIL_EVICTED, AIL_MEMORY, AIL_REFUSED,
    AIL_RUNNER_LOST, AIL_RUNNER_STOPPED, AIL_NO_GROUP, AIL_SILENT, AIL_CRASHED,
    AIL_TRIM_RISK, AIL_MISSED, AIL_LOST, AIL_GIVEN_UP, AIL_POISON, AIL_FAILING, AIL_ABANDONED,
    AIL_SLOW, AIL_BACKLOG, AIL_PENDING, AIL_EVICTION, AIL_NO_PERSISTENCE, AIL_REPLICA, AIL_CLOCK,
    AIL_ORPHAN_GROUP, AIL_OVERRIDDEN, AIL_CONTRADICTION, AIL_INDEX_LEAK, AIL_HEALTH, AIL_OTHER,
    AILMENTS,
};

/* What is looked at, in the order it is told. */
enum check {
    CHECK_ENVIRONMENT, CHECK_REACHABLE, CHECK_PERMISSIONS, CHECK_VERSION, CHECK_MEMORY,
    CHECK_PERSISTENCE, CHECK_STORAGE, CHECK_REGISTRY, CHECK_RUNNER, CHECK_GROUPS, CHECK_CONSUMERS,
    CHECK_PENDING, CHECK_BACKLOG, CHECK_TRIMMING, CHECK_FAILURES, CHECK_SPEED, CHECK_CLOCKS,
    CHECK_RULES, CHECKS,
};

struct finding {
    enum ailment ailment;
    bool critical;            /* else a warning */
    const char *name;         /* the kind's, or a rule's */
    char *topic, *agent;      /* as bytes of these lengths; NULL: not about one */
    size_t topic_len, agent_len;
    struct ov_buf what, evidence, meaning, next; /* to be filled in by whoever adds it */
    const struct finding *cause; /* after settling; NULL: it stands for itself */
    size_t consequences;         /* of a cause */
};

struct diagnosis {
    struct finding **findings;
    size_t count, cap;
    struct {
        bool looked;
        struct ov_buf detail; /* what was seen, or why it could not be looked at */
    } checks[CHECKS];
};

/* Start with {0}. */
void diagnosis_free(struct diagnosis *d);

/* A new finding, with its kind's name and meaning. Topic and agent may have a NULL ptr. It stays
 * where it is until the diagnosis is freed. */
struct finding *diagnosis_add(struct diagnosis *d, enum ailment ailment, bool critical,
                              struct ov_slice topic, struct ov_slice agent)
    __attribute__((returns_nonnull));
/* Notes that something was looked at, and what was seen ("" for nothing to tell). */
void diagnosis_looked(struct diagnosis *d, enum check check, const char *format, ...)
    OV_PRINTF(3, 4);
/* Notes why something could not be looked at. */
void diagnosis_blind(struct diagnosis *d, enum check check, const char *format, ...)
    OV_PRINTF(3, 4);

/* Whether something in it may pass by itself within seconds, as when agents are just starting. */
bool diagnosis_is_fleeting(const struct diagnosis *d);
/* Takes such findings out that an earlier look did not have. */
void diagnosis_confirm(struct diagnosis *d, const struct diagnosis *earlier);
/* Finds the causes, and sorts: the gravest first. A cause is as grave as what comes of it. */
void diagnosis_settle(struct diagnosis *d);

enum check finding_check(const struct finding *finding);
const char *check_name(enum check check); /* "consumer groups" */
/* How many findings of a check there are. */
size_t diagnosis_count(const struct diagnosis *d, enum check check);

#endif
