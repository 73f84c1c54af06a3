/* SPDX-License-Identifier: Apache-2.0 */
/* What the `storage` input measures, and the samples made of it. */
#include "storage.h"

enum {
    STORAGE_UP, STORAGE_FAULT, STORAGE_REASON, STORAGE_LATENCY, STORAGE_AGENTS, STORAGE_TOPICS,
    STORAGE_RESULTS, STORAGE_RESULTS_INDEXED, STORAGE_METRICS_LENGTH, STORAGE_MEMORY_USED,
};
static const char *const storage_tags[] = {"backend"};
static const struct ov_field storage_fields[] = {
    [STORAGE_UP] = {"up", OV_BOOL, OV_GAUGE, "", "Whether storage could be read."},
    [STORAGE_FAULT] = {"fault", OV_TEXT, OV_GAUGE, "", "Why not, in a word."},
    [STORAGE_REASON] = {"reason", OV_TEXT, OV_GAUGE, "", "Why not, in a sentence."},
    [STORAGE_LATENCY] = {"latency_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                         "Time a PING took, or reading the files."},
    [STORAGE_AGENTS] = {"agents", OV_INT, OV_GAUGE, "", "Registered agents."},
    [STORAGE_TOPICS] = {"topics", OV_INT, OV_GAUGE, "", "Topics they are registered on."},
    [STORAGE_RESULTS] = {"results", OV_INT, OV_GAUGE, "",
                         "Results that have not expired (in Redis: saved in the last day)."},
    [STORAGE_RESULTS_INDEXED] = {"results_indexed", OV_INT, OV_GAUGE, "",
                                 "Results as OmniDaemon lists them, expired ones included: its "
                                 "index is never trimmed."},
    [STORAGE_METRICS_LENGTH] = {"metrics_length", OV_INT, OV_GAUGE, "", "Task events held."},
    [STORAGE_MEMORY_USED] = {"memory_used_bytes", OV_INT, OV_GAUGE, "bytes",
                             "Memory Redis uses."},
};
static const struct ov_measurement storage_measurement = {
    .name = "omnidaemon_storage", .help = "OmniDaemon's storage.",
    .tags = storage_tags, .tag_count = OV_COUNT(storage_tags),
    .fields = storage_fields, .field_count = OV_COUNT(storage_fields),
};

enum { FILE_EXISTS, FILE_SIZE, FILE_AGE, FILE_VALID, FILE_ERROR };
static const char *const file_tags[] = {"file"};
static const struct ov_field file_fields[] = {
    [FILE_EXISTS] = {"exists", OV_BOOL, OV_GAUGE, "", "Whether the file is there."},
    [FILE_SIZE] = {"size_bytes", OV_INT, OV_GAUGE, "bytes", "Its size."},
    [FILE_AGE] = {"age_seconds", OV_FLOAT, OV_GAUGE, "seconds", "Since it was last written."},
    [FILE_VALID] = {"valid", OV_BOOL, OV_GAUGE, "",
                    "Whether OmniDaemon will understand it; if not, it is about to write it "
                    "over."},
    [FILE_ERROR] = {"error", OV_TEXT, OV_GAUGE, "", "Why it is not valid."},
};
static const struct ov_measurement file_measurement = {
    .name = "omnidaemon_storage_file", .help = "A file of the JSON storage.",
    .tags = file_tags, .tag_count = OV_COUNT(file_tags),
    .fields = file_fields, .field_count = OV_COUNT(file_fields),
};

const struct ov_measurement *const storage_measurements[] = {
    &storage_measurement, &file_measurement, NULL,
};

static void known_int(struct ov_sample *s, unsigned field, int64_t value)
{
    if (value >= 0)
        ov_sample_int(s, field, value);
}

static void file_sample(struct storage *storage, unsigned which, struct ov_batch *batch)
{
    const struct storage_file_facts *file = &storage->files[which];
    struct ov_sample *s = ov_batch_add(batch, &file_measurement);
    ov_sample_tag(batch, s, 0, ov_slice(storage_file_names[which]));
    ov_sample_bool(s, FILE_EXISTS, file->exists);
    if (!file->exists)
        return;
    ov_sample_int(s, FILE_SIZE, file->size);
    ov_sample_float(s, FILE_AGE, omni_age(storage->facts.now_ms,
                                          (uint64_t)(file->mtime_ns / 1000000)));
    if (file->checked)
        ov_sample_bool(s, FILE_VALID, file->valid);
    if (file->why[0])
        ov_sample_text(batch, s, FILE_ERROR, ov_slice(file->why));
}

#define FIELD(i) (UINT64_C(1) << (i))

static void unread(struct storage *storage, struct ov_batch *batch)
{
    static const struct {
        uint32_t commands;
        uint64_t fields;
    } rows[] = {
        {REFUSED(REFUSABLE_INFO), FIELD(STORAGE_MEMORY_USED)},
        {REFUSED(REFUSABLE_ZCARD), FIELD(STORAGE_RESULTS_INDEXED)},
        {REFUSED(REFUSABLE_ZCOUNT), FIELD(STORAGE_RESULTS)},
        {REFUSED(REFUSABLE_XLEN), FIELD(STORAGE_METRICS_LENGTH)},
        {REFUSED(REFUSABLE_SSCAN) | REFUSED(REFUSABLE_SCARD),
         FIELD(STORAGE_AGENTS) | FIELD(STORAGE_TOPICS)},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++)
        refusals_unread(&storage->refusals, rows[i].commands, batch, &storage_measurement,
                        rows[i].fields, NULL);
    for (unsigned i = 0; storage->omni.backend == OMNI_JSON && i < STORAGE_FILES; i++) {
        const struct ov_slice tag = ov_slice(storage_file_names[i]);
        if (storage->files[i].exists && !storage->files[i].checked)
            ov_batch_unread(batch, &file_measurement, FIELD(FILE_VALID), &tag,
                            ov_slice(storage->files[i].why));
    }
}

void storage_samples(struct storage *storage, struct ov_batch *batch)
{
    const struct storage_facts *facts = &storage->facts;
    struct ov_sample *s = ov_batch_add(batch, &storage_measurement);
    ov_sample_tag(batch, s, 0, ov_slice(omni_backend_names[storage->omni.backend]));
    ov_sample_bool(s, STORAGE_UP, facts->up);
    if (!facts->up) {
        ov_sample_text(batch, s, STORAGE_FAULT, ov_slice(facts->fault));
        ov_sample_text(batch, s, STORAGE_REASON, ov_slice(facts->why));
        return;
    }
    ov_sample_float(s, STORAGE_LATENCY, facts->latency_seconds);
    known_int(s, STORAGE_AGENTS, facts->agents);
    known_int(s, STORAGE_TOPICS, facts->topics);
    known_int(s, STORAGE_RESULTS, facts->results);
    known_int(s, STORAGE_RESULTS_INDEXED, facts->results_indexed);
    known_int(s, STORAGE_METRICS_LENGTH, facts->metrics_length);
    known_int(s, STORAGE_MEMORY_USED, facts->memory_used);
    if (storage->omni.backend == OMNI_JSON)
        for (unsigned i = 0; i < STORAGE_FILES; i++)
            file_sample(storage, i, batch);
    unread(storage, batch);
}
