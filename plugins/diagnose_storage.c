/* SPDX-License-Identifier: Apache-2.0 */
/* OmniDaemon's storage: whether it can be read, what is wrong with it, and whether it is where
 * omnivigil looks. */
#include <unistd.h>

#include "diagnose.h"
#include "figures.h"
#include "shell.h"

enum { LEAK_MIN = 10000 };

/* The files have no index of their own. */
static void next_prune(struct look *look, struct finding *f)
{
    const struct omni_options *omni = &look->runner->omni;
    struct ov_buf path = {0};
    if (omni->backend == OMNI_REDIS) {
        next_omnivigil(look, f, "storage prune-index", NOBODYS, NOBODYS);
        return;
    }
    ov_buf_printf(&path, "%s/results.json", omni->json_dir);
    ov_buf_str(&f->next, "ls -l");
    if (!shell_word(&f->next, (struct ov_slice){path.data, path.len}))
        ov_buf_reset(&f->next);
    ov_buf_free(&path);
}

void look_at_storage(struct look *look)
{
    for (const struct ov_sample *s = ov_batch_first(look->storage); s; s = s->next) {
        if (!figure_of(s, "omnidaemon_storage"))
            continue;
        struct ov_slice backend = figure_tag(s, "backend"), reason = figure_text(s, "reason");
        int64_t results = figure_int(s, "results", INT64_MAX);
        int64_t leaked = figure_int(s, "results_indexed", 0) - results;
        if (figure_bool(s, "up") == 0) {
            struct finding *f = diagnosis_add(look->d, AIL_STORAGE_DOWN, true, NOBODYS, NOBODYS);
            ov_buf_printf(&f->what, "OmniDaemon's storage (%.*s) cannot be read",
                          (int)backend.len, backend.ptr);
            ov_buf_escaped(&f->evidence, reason);
            if (look->runner->omni.backend == OMNI_REDIS) {
                next_redis(look, f, "ping", NULL, 0);
            } else {
                ov_buf_str(&f->next, "ls -la");
                if (!shell_word(&f->next, ov_slice(look->runner->omni.json_dir)))
                    ov_buf_reset(&f->next);
            }
            diagnosis_blind(look->d, CHECK_STORAGE, "%.*s", (int)reason.len, reason.ptr);
            return;
        }
        diagnosis_looked(look->d, CHECK_STORAGE, "%.*s", (int)backend.len, backend.ptr);
        if (leaked < LEAK_MIN)
            return;
        struct finding *f = diagnosis_add(look->d, AIL_INDEX_LEAK, false, NOBODYS, NOBODYS);
        ov_buf_printf(&f->what, "the index of results holds %jd that are gone", (intmax_t)leaked);
        put_fields(&f->evidence, s, "results_indexed,results");
        next_prune(look, f);
    }
}

/* Where the registrations are, if they are not where they were looked for. */
static bool tell_other_storage(struct look *look, const char *evidence, const char *backend)
{
    struct finding *f = diagnosis_add(look->d, AIL_OTHER_STORAGE, true, NOBODYS, NOBODYS);
    ov_buf_printf(&f->what, "OmniDaemon's storage seems to be in %s, not where omnivigil looks",
                  strcmp(backend, "redis") == 0 ? "Redis" : "JSON files");
    ov_buf_str(&f->evidence, evidence);
    ov_buf_printf(&f->next, "export STORAGE_BACKEND=%s", backend);
    return true;
}

static void on_card(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    (void)r;
    (void)index;
    *(int64_t *)context = reply->type == REDIS_INTEGER ? reply->integer : 0;
}

static bool judge_other_storage(struct look *look)
{
    const struct omni_options *omni = &look->runner->omni;
    const struct ov_slice none = {NULL, 0};
    struct ov_buf text = {0};
    int64_t topics = 0;
    bool found = false;
    if (omni->backend == OMNI_REDIS) {
        ov_buf_printf(&text, "%s/agents.json", omni->json_dir);
        if (access(ov_buf_text(&text), F_OK) == 0) {
            ov_buf_str(&text, " is there, and no agent is registered in Redis");
            found = tell_other_storage(look, ov_buf_text(&text), "json");
        }
    } else {
        redis_send(look->runner->redis, on_card, &topics, 0, OV_SLICE("SCARD"),
                   omni_storage_key(&look->key, omni->prefix, "topics", none, none));
        if (redis_run(look->runner->redis) == OV_OK && topics > 0) {
            ov_buf_printf(&text, "%s:topics in Redis holds %jd topics, and %s holds no agent",
                          omni->prefix, (intmax_t)topics, omni->json_dir);
            found = tell_other_storage(look, ov_buf_text(&text), "redis");
        }
    }
    ov_buf_free(&text);
    return found;
}

/* The first with keys in it, where this one has none: "db0, db3"; else this one. */
static int64_t other_database(const struct look *look)
{
    int64_t first = -1, db = 0;
    for (size_t i = 0; i <= look->databases.len; i++) {
        char c = i < look->databases.len ? look->databases.data[i] : ',';
        if (c >= '0' && c <= '9')
            db = db * 10 + (c - '0');
        if (c != ',' || look->databases.len == 0)
            continue;
        if (db == look->url.db)
            return db;
        first = first < 0 ? db : first;
        db = 0;
    }
    return first < 0 ? look->url.db : first;
}

static void tell_nothing_here(struct look *look)
{
    struct finding *f = diagnosis_add(look->d, AIL_NOTHING_HERE, false, NOBODYS, NOBODYS);
    ov_buf_str(&f->what, "there is nothing of OmniDaemon here");
    ov_buf_printf(&f->evidence, "no agents, no topics at %s",
                  ov_buf_text(&look->address));
    if (look->runner->omni.backend == OMNI_REDIS)
        ov_buf_printf(&f->evidence, " under the prefix %s", look->runner->omni.prefix);
    ov_buf_printf(&f->evidence, "; databases with keys: %s",
                  look->databases.len ? ov_buf_text(&look->databases) : "none");
    int64_t db = look->url.db;
    look->url.db = other_database(look);
    next_redis(look, f, "--scan --pattern '*:topics'", NULL, 0);
    look->url.db = db;
}

void look_at_registry(struct look *look)
{
    int64_t agents = -1, topics = -1;
    for (const struct ov_sample *s = ov_batch_first(look->tasks); s; s = s->next)
        if (figure_of(s, "omnidaemon_health")) {
            struct ov_slice state = figure_text(s, "runner");
            agents = figure_int(s, "agents", -1);
            if (state.len)
                diagnosis_looked(look->d, CHECK_RUNNER, "%.*s", (int)state.len, state.ptr);
            else
                diagnosis_blind(look->d, CHECK_RUNNER, "there is no telling");
        }
    for (const struct ov_sample *s = ov_batch_first(look->bus); s; s = s->next)
        if (figure_of(s, "omnidaemon_bus"))
            topics = figure_int(s, "topics", -1);
    if (agents >= 0)
        diagnosis_looked(look->d, CHECK_REGISTRY, "registered: %jd", (intmax_t)agents);
    else
        diagnosis_blind(look->d, CHECK_REGISTRY, "registrations cannot be read");
    if (agents > 0 || (agents < 0 && look->runner->omni.backend == OMNI_REDIS))
        return;
    if (!judge_other_storage(look) && agents == 0 && topics == 0)
        tell_nothing_here(look);
}
