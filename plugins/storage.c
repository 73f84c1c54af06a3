/* SPDX-License-Identifier: Apache-2.0 */
/* The input `storage`: where OmniDaemon keeps agents, results and task events, in Redis or in
 * JSON files. It never writes; of its commands `storage prune-index` does. */
#include <math.h>
#include <stdio.h>

#include "storage_call.h"

static const struct ov_option options[] = {
    OMNI_OPTION_ROWS(struct storage, omni),
    {.name = NULL},
};

static const struct ov_rule rules[] = {
    {.name = "storage", .value = "omnidaemon_storage_file.valid", .critical = "1:",
     .summary = "{file} does not parse: OmniDaemon will write it over ({error})",
     .description = "OmniDaemon takes such a file for empty and replaces it at its next save: save "
                    "a copy now. `omnivigil storage health` shows all files."},
    {.name = NULL},
};

static void check(void *state, struct ov_check *check_context)
{
    struct storage *storage = state;
    redis_options_check(&storage->omni.redis, check_context);
}

static int open_storage(void *state, struct ov_host *host)
{
    struct storage *storage = state;
    storage->host = host;
    storage->redis = redis_new(&storage->omni.redis, host);
    storage->registry.options = &storage->omni;
    storage->refusals.host = host;
    storage->registry.refusals = &storage->refusals;
    storage->registry.count_only = true;
    return OV_OK;
}

static void close_storage(void *state)
{
    struct storage *storage = state;
    redis_free(storage->redis);
    registry_free(&storage->registry);
    refusals_free(&storage->refusals);
    storage_files_free(storage);
    ov_buf_free(&storage->key);
}

static int gather(void *state, struct ov_batch *batch)
{
    struct storage *storage = state;
    struct storage_facts *facts = &storage->facts;
    *facts = (struct storage_facts){
        .now_ms = ov_wall_ns() / 1000000, .latency_seconds = (double)NAN, .agents = -1,
        .topics = -1, .results = -1, .results_indexed = -1, .metrics_length = -1,
        .memory_used = -1,
    };
    int result = storage->omni.backend == OMNI_REDIS ? storage_read_redis(storage)
                                                     : storage_read_json(storage);
    if (result == OV_STOPPED)
        return result;
    facts->up = result == OV_OK;
    if (!facts->up && storage->omni.backend == OMNI_REDIS) {
        facts->fault = redis_fault_word(redis_fault(storage->redis));
        snprintf(facts->why, sizeof facts->why, "%s", redis_why(storage->redis));
    }
    storage_samples(storage, batch);
    refusals_settle(&storage->refusals);
    return result;
}

static const struct ov_command *const commands[] = {
    &storage_command_health, &storage_command_tasks, &storage_command_prune_index, NULL,
};

OV_PLUGIN = {
    OV_PLUGIN_HEAD,
    .name = "storage",
    .summary = "OmniDaemon's storage: agents, results, task events, files",
    .kind = OV_INPUT,
    .state_size = sizeof(struct storage),
    .options = options,
    .measurements = storage_measurements,
    .rules = rules,
    .commands = commands,
    .check = check,
    .open = open_storage,
    .close = close_storage,
    .gather = gather,
};
