/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the command `diagnose`: who looks at what.
 *
 *     diagnose_environment.c  OmniDaemon's variables, in the process and in `.env`
 *     diagnose_redis.c        the connection, and what Redis says of itself
 *     diagnose_access.c       which commands are refused, and what to grant
 *     diagnose_samples.c      what the inputs' samples and rules tell
 *     diagnose_storage.c      the storage, and whether it is the right one
 *     diagnose_loss.c         what was trimmed before its delivery
 *     diagnose_missed.c       what agents missed because their group was lost
 *     diagnose_orphans.c      groups whose agents are not registered
 *     diagnose_pending.c      entries that are pending for too long
 *     diagnose_letters.c      dead letters, by what they have in common
 *     diagnose_clocks.c       clocks of hosts against Redis'
 *     diagnosis.c             the findings: what causes what, and their order
 *     diagnose_next.c         the commands that findings end with
 *     cmd_diagnose.c          the command: the order of it all, and what is shown
 */
#ifndef DIAGNOSE_H
#define DIAGNOSE_H

#include "diagnosis.h"
#include "redis_url.h"
#include "runner.h"

/* One look. */
struct look {
    struct runner *runner;
    struct ov_call *call;
    struct diagnosis *d;
    const char *env_file;         /* where the `.env` file is */
    const struct ov_batch *bus, *storage, *tasks; /* of redis_bus, storage and runner */
    const char *bus_why, *storage_why, *tasks_why; /* why they failed; NULL: they did not */
    struct redis_url url;         /* where Redis is, and the same as text */
    struct ov_buf address;
    struct ov_buf key;

    bool usable;                  /* there is a connection to Redis to ask by */
    int64_t now_ms;               /* Redis' clock; the host's until that is known */
    double clock_ahead;           /* seconds this host's clock is ahead of Redis'; NaN: not known */
    double clock_error;           /* ... give or take so many */
    char version[32];             /* "": not told */
    int64_t version_number;       /* 70015 for 7.0.15; 0: not told */
    struct ov_buf notes;          /* what is no finding, and should be known: a line each */
    struct ov_buf databases;      /* those with keys in them: "db0, db3" */
};

#define NOBODYS ((struct ov_slice){NULL, 0})

/* A tag as a finding's topic or agent. */
static inline struct ov_slice given(struct ov_slice tag)
{
    return tag.len ? tag : NOBODYS;
}

/* Each adds its findings and notes its checks. */
void look_at_environment(struct look *look);
/* Connects, and fills in what the others need, too. False where Redis cannot be used. */
bool look_at_redis(struct look *look);
void look_at_access(struct look *look);
void look_at_samples(struct look *look);
void look_at_storage(struct look *look);  /* the three are parts of look_at_samples */
void look_at_registry(struct look *look);
void judge_loss(struct look *look, const struct ov_sample *group);
void look_at_missed(struct look *look);
void look_at_orphans(struct look *look);
void look_at_pending(struct look *look);
void look_at_letters(struct look *look);
void look_at_clocks(struct look *look);

/* The variables as a view: in the process, in the file, in use. */
void show_environment(struct look *look);

/* ---- the command to go on with. Each begins it anew in `f->next`. */

/* "omnivigil bus groups orders": the words are the command's, the topic (or nothing) is quoted and
 * comes last; `agent` is given as --agent. What a name of no command line can be typed for is left
 * out. */
void next_omnivigil(struct look *look, struct finding *f, const char *words, struct ov_slice topic,
                    struct ov_slice agent);
/* "redis-cli -h 127.0.0.1 -p 6379 ...": the server as it is addressed here, without secrets, then
 * `words` as they are, then the `count` names, quoted. */
void next_redis(struct look *look, struct finding *f, const char *words,
                const struct ov_slice *names, size_t count);

/* Appends fields of a sample by their names, as "undelivered 520, oldest undelivered 12 min"; those
 * that are absent are left out. `names`: "undelivered,oldest_undelivered_seconds". */
void put_fields(struct ov_buf *out, const struct ov_sample *s, const char *names);
/* Appends a duration for persons: "12 s", "7 min", "3.5 h", "2 days". */
void put_duration(struct ov_buf *out, double seconds);

#endif
