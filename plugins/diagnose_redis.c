/* SPDX-License-Identifier: Apache-2.0 */
/* Whether Redis can be used at all, and what it says of itself: version, memory, persistence, role,
 * clock. */
#include <math.h>
#include <stdlib.h>

#include "diagnose.h"
#include "shell.h"

enum { STREAMS_SINCE = 50000, IDLE_SINCE = 70200, LAG_SINCE = 70000 };
enum { CLOCK_TOLERANCE_SECONDS = 2 };

/* What INFO says; -1 or empty: not told. Slices point into the reply, so what is kept is copied. */
struct server {
    struct look *look;
    char version[32], role[16], save_status[16], aof_status[16], policy[32], master_link[16];
    int64_t aof_enabled, last_save, changes, evicted, memory_limit;
    struct ov_buf databases;   /* those that hold keys: "db0, db1" */
    int save_set;              /* CONFIG GET save: 1, 0, -1: not told */
    int64_t asked_ns;
    bool refused;              /* INFO is */
};

/* ---------------------------------------------------------------- the connection */

/* What to try next by hand. */
static void next_for_fault(struct look *look, struct finding *f, enum redis_fault fault)
{
    const char *words = "ping";
    int64_t db;
    switch (fault) {
    case REDIS_DNS:
        ov_buf_reset(&f->next);
        ov_buf_str(&f->next, "getent hosts");
        if (!look->url.host || !shell_word(&f->next, ov_slice(look->url.host)))
            ov_buf_reset(&f->next);
        return;
    case REDIS_NODB: /* which there are is asked in one that always is there */
        db = look->url.db;
        look->url.db = 0;
        next_redis(look, f, "config get databases", NULL, 0);
        look->url.db = db;
        return;
    case REDIS_LOADING:
        words = "info persistence";
        break;
    case REDIS_MAXCLIENTS:
        words = "config get maxclients";
        break;
    case REDIS_MASTERDOWN:
        words = "info replication";
        break;
    case REDIS_CLUSTERDOWN:
        words = "cluster info";
        break;
    case REDIS_BUSY:
        words = "script kill";
        break;
    default:
        break;
    }
    next_redis(look, f, words, NULL, 0);
}

static void tell_unusable(struct look *look)
{
    const struct redis *r = look->runner->redis;
    struct finding *f = diagnosis_add(look->d, AIL_BUS_DOWN, true, NOBODYS, NOBODYS);
    ov_buf_printf(&f->what, "Redis cannot be used: %s", redis_fault_word(redis_fault(r)));
    ov_buf_str(&f->evidence, redis_why(r));
    next_for_fault(look, f, redis_fault(r));
    diagnosis_blind(look->d, CHECK_REACHABLE, "%s", redis_why(r));
}

/* ---------------------------------------------------------------- asking */

static void copy_word(char *out, size_t size, struct ov_slice value)
{
    size_t len = value.len < size ? value.len : size - 1;
    memcpy(out, value.ptr, len);
    out[len] = '\0';
}

static int64_t version_number(const char *text)
{
    int64_t parts[3] = {0, 0, 0};
    for (unsigned i = 0; i < OV_COUNT(parts); text++) {
        if (*text >= '0' && *text <= '9' && parts[i] < 1000)
            parts[i] = parts[i] * 10 + (*text - '0');
        else if (*text != '.')
            break;
        else
            i++;
    }
    return parts[0] * 10000 + parts[1] * 100 + parts[2];
}

static void take_info(struct server *s, struct ov_slice name, struct ov_slice value)
{
    const struct { const char *name; char *to; size_t size; } words[] = {
        {"redis_version", s->version, sizeof s->version},
        {"role", s->role, sizeof s->role},
        {"master_link_status", s->master_link, sizeof s->master_link},
        {"rdb_last_bgsave_status", s->save_status, sizeof s->save_status},
        {"aof_last_write_status", s->aof_status, sizeof s->aof_status},
        {"maxmemory_policy", s->policy, sizeof s->policy},
    };
    const struct { const char *name; int64_t *to; } numbers[] = {
        {"aof_enabled", &s->aof_enabled}, {"rdb_last_save_time", &s->last_save},
        {"rdb_changes_since_last_save", &s->changes}, {"evicted_keys", &s->evicted},
        {"maxmemory", &s->memory_limit},
    };
    const struct redis_reply number = {.type = REDIS_STRING, .text = value};
    for (size_t i = 0; i < OV_COUNT(words); i++)
        if (ov_slice_eq(name, ov_slice(words[i].name)))
            copy_word(words[i].to, words[i].size, value);
    for (size_t i = 0; i < OV_COUNT(numbers); i++)
        if (ov_slice_eq(name, ov_slice(numbers[i].name)))
            *numbers[i].to = redis_int(&number, -1);
    if (ov_slice_starts(name, OV_SLICE("db")) && ov_slice_starts(value, OV_SLICE("keys="))) {
        ov_buf_str(&s->databases, s->databases.len ? ", " : "");
        ov_buf_escaped(&s->databases, name);
    }
}

static void on_info(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct server *s = context;
    (void)r;
    (void)index;
    s->refused |= reply->type != REDIS_STRING;
    struct ov_slice rest = reply->type == REDIS_STRING ? reply->text : OV_SLICE("");
    while (rest.len) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        size_t shown = len && rest.ptr[len - 1] == '\r' ? len - 1 : len;
        const char *colon = memchr(rest.ptr, ':', shown);
        if (colon)
            take_info(s, (struct ov_slice){rest.ptr, (size_t)(colon - rest.ptr)},
                      (struct ov_slice){colon + 1, (size_t)(rest.ptr + shown - colon - 1)});
        rest.ptr += len + (end != NULL);
        rest.len -= len + (end != NULL);
    }
}

/* The clock was read somewhere between asking and now. */
static void on_time(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct server *s = context;
    int64_t now_ns = ov_wall_ns();
    (void)r;
    (void)index;
    if (reply->type != REDIS_ARRAY || reply->count != 2)
        return;
    double redis = (double)redis_int(&reply->items[0], 0) +
                   (double)redis_int(&reply->items[1], 0) / 1e6;
    double middle = ((double)s->asked_ns + (double)now_ns) / 2e9;
    s->look->now_ms = (int64_t)(redis * 1e3);
    s->look->clock_ahead = middle - redis;
    s->look->clock_error = (double)(now_ns - s->asked_ns) / 2e9;
}

static void on_save(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct server *s = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_ARRAY && reply->count == 2)
        s->save_set = reply->items[1].text.len > 0;
}

static int ask(struct look *look, struct server *s)
{
    static const char *const sections[] = {
        "server", "memory", "persistence", "stats", "replication", "keyspace",
    };
    struct redis *r = look->runner->redis;
    s->asked_ns = ov_wall_ns();
    redis_send(r, on_time, s, 0, OV_SLICE("TIME"));
    int result = redis_run(r); /* alone, so that little time passes */
    if (result != OV_OK)
        return result;
    for (size_t i = 0; i < OV_COUNT(sections); i++)
        redis_send(r, on_info, s, 0, OV_SLICE("INFO"), ov_slice(sections[i]));
    redis_send(r, on_save, s, 0, OV_SLICE("CONFIG"), OV_SLICE("GET"), OV_SLICE("save"));
    return redis_run(r);
}

/* ---------------------------------------------------------------- judging */

static void judge_version(struct look *look, const struct server *s)
{
    int64_t number = look->version_number;
    if (number == 0) {
        diagnosis_blind(look->d, CHECK_VERSION, "Redis does not tell its version");
        return;
    }
    diagnosis_looked(look->d, CHECK_VERSION, "Redis %s%s", s->version,
                     number < LAG_SINCE ? ": losses by trimming cannot be told before 7.0"
                     : number < IDLE_SINCE ? ": idle times of consumers mean little before 7.2, "
                                             "other signs of life are used" : "");
    if (number >= STREAMS_SINCE)
        return;
    struct finding *f = diagnosis_add(look->d, AIL_VERSION, true, NOBODYS, NOBODYS);
    ov_buf_str(&f->what, "this Redis is too old for OmniDaemon");
    ov_buf_printf(&f->evidence, "version %s; streams need 5.0", s->version);
    next_redis(look, f, "info server", NULL, 0);
}

static void judge_memory(struct look *look, const struct server *s)
{
    bool evicts = strncmp(s->policy, "allkeys-", 8) == 0;
    if (s->evicted < 0 || !*s->policy) {
        diagnosis_blind(look->d, CHECK_MEMORY, "Redis does not tell (INFO)");
        return;
    }
    if (s->memory_limit > 0)
        diagnosis_looked(look->d, CHECK_MEMORY, "limit %jd bytes, policy %s",
                         (intmax_t)s->memory_limit, s->policy);
    else
        diagnosis_looked(look->d, CHECK_MEMORY, "no limit (maxmemory)");
    if (!evicts || s->evicted == 0)
        return;
    struct finding *f = diagnosis_add(look->d, AIL_EVICTED, true, NOBODYS, NOBODYS);
    ov_buf_printf(&f->what, "Redis evicted %jd keys of any kind", (intmax_t)s->evicted);
    ov_buf_printf(&f->evidence, "evicted_keys %jd since it started, maxmemory-policy %s",
                  (intmax_t)s->evicted, s->policy);
    next_redis(look, f, "config set maxmemory-policy noeviction", NULL, 0);
}

static bool is_bad(const char *status)
{
    return *status && strcmp(status, "ok") != 0;
}

static void judge_save(struct look *look, const struct server *s)
{
    bool aof = s->aof_enabled > 0 && is_bad(s->aof_status);
    if (!aof && !is_bad(s->save_status))
        return;
    struct finding *f = diagnosis_add(look->d, AIL_SAVE_FAILED, true, NOBODYS, NOBODYS);
    ov_buf_printf(&f->what, "Redis cannot write its %s to disk",
                  aof ? "append-only file" : "snapshot");
    ov_buf_printf(&f->evidence, "rdb_last_bgsave_status %s, aof_last_write_status %s",
                  s->save_status, s->aof_status);
    if (s->last_save > 0) {
        ov_buf_str(&f->evidence, ", last good save ");
        put_duration(&f->evidence, (double)look->now_ms / 1e3 - (double)s->last_save);
        ov_buf_printf(&f->evidence, " ago, %jd changes since", (intmax_t)s->changes);
    }
    next_redis(look, f, "config get dir", NULL, 0);
}

static void judge_persistence(struct look *look, const struct server *s)
{
    judge_save(look, s);
    if (s->aof_enabled < 0) {
        diagnosis_blind(look->d, CHECK_PERSISTENCE, "Redis does not tell (INFO)");
    } else if (s->aof_enabled > 0) {
        diagnosis_looked(look->d, CHECK_PERSISTENCE, "append-only file");
    } else if (s->save_set < 0) {
        diagnosis_blind(look->d, CHECK_PERSISTENCE, "no append-only file, and whether snapshots "
                        "are taken is not told (CONFIG GET save is refused)");
    } else if (s->save_set > 0) {
        diagnosis_looked(look->d, CHECK_PERSISTENCE, "snapshots");
    } else {
        diagnosis_looked(look->d, CHECK_PERSISTENCE, "none");
        struct finding *f = diagnosis_add(look->d, AIL_NO_PERSISTENCE, false, NOBODYS, NOBODYS);
        ov_buf_str(&f->what, "Redis keeps nothing on disk");
        ov_buf_str(&f->evidence, "aof_enabled 0, save \"\"");
        next_redis(look, f, "config set appendonly yes", NULL, 0);
    }
}

static void judge_role(struct look *look, const struct server *s)
{
    if (strcmp(s->role, "slave") != 0)
        return;
    struct finding *f = diagnosis_add(look->d, AIL_REPLICA, false, NOBODYS, NOBODYS);
    ov_buf_str(&f->what, "this Redis is a replica, not the master");
    ov_buf_printf(&f->evidence, "role slave, link to its master %s", s->master_link);
    next_redis(look, f, "info replication", NULL, 0);
}

static void judge_clock(struct look *look)
{
    double ahead = look->clock_ahead;
    if (isnan(ahead)) {
        diagnosis_blind(look->d, CHECK_CLOCKS, "Redis does not tell its time");
        return;
    }
    diagnosis_looked(look->d, CHECK_CLOCKS, "this host's and Redis' are %.3f s apart",
                     fabs(ahead));
    if (fabs(ahead) <= CLOCK_TOLERANCE_SECONDS + look->clock_error)
        return;
    struct finding *f = diagnosis_add(look->d, AIL_CLOCK, fabs(ahead) > 60, NOBODYS, NOBODYS);
    ov_buf_str(&f->what, "the clock of this host is ");
    put_duration(&f->what, fabs(ahead));
    ov_buf_printf(&f->what, " %s Redis'", ahead > 0 ? "ahead of" : "behind");
    ov_buf_printf(&f->evidence, "here minus there: %+.3f s, give or take %.3f s", ahead,
                  look->clock_error);
    ov_buf_str(&f->next, "timedatectl");
}

bool look_at_redis(struct look *look)
{
    struct server s = {
        .look = look, .aof_enabled = -1, .last_save = -1, .changes = -1, .evicted = -1,
        .memory_limit = -1, .save_set = -1,
    };
    int result = redis_open(look->runner->redis);
    if (result == OV_OK)
        result = ask(look, &s);
    if (result != OV_OK) {
        ov_buf_free(&s.databases);
        tell_unusable(look);
        return false;
    }
    diagnosis_looked(look->d, CHECK_REACHABLE, "%s", ov_buf_text(&look->address));
    copy_word(look->version, sizeof look->version, ov_slice(s.version));
    look->version_number = version_number(s.version);
    look->databases = s.databases;
    judge_version(look, &s);
    judge_memory(look, &s);
    judge_persistence(look, &s);
    judge_role(look, &s);
    judge_clock(look);
    return true;
}
