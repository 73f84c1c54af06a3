/* SPDX-License-Identifier: Apache-2.0 */
/* Storage in JSON files. OmniDaemon reads a file that does not parse as empty and writes it over
 * at its next save, so that is worth an alarm while there is still something to rescue. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "storage.h"

const char *const storage_file_names[] = {
    [FILE_AGENTS] = "agents.json", [FILE_RESULTS] = "results.json",
    [FILE_METRICS] = "metrics.json", [FILE_CONFIG] = "config.json",
};

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* When each result expires; what has no such time never does. */
static void take_expiries(struct storage_file_facts *file, struct json_object *results)
{
    size_t count = (size_t)json_object_object_length(results);
    free(file->expiries);
    file->expiries = ov_malloc(count * sizeof *file->expiries);
    file->expiry_count = 0;
    json_object_object_foreach(results, id, result) {
        double at = json_get_double(result, "expires_at");
        (void)id;
        file->expiries[file->expiry_count++] = isnan(at) ? (double)INFINITY : at;
    }
    qsort(file->expiries, file->expiry_count, sizeof *file->expiries, compare_doubles);
}

static int64_t count_agents(struct json_object *topics)
{
    int64_t agents = 0;
    json_object_object_foreach(topics, topic, list) {
        (void)topic;
        if (json_object_is_type(list, json_type_array))
            agents += (int64_t)json_object_array_length(list);
    }
    return agents;
}

static void take_content(enum storage_file which, struct storage_file_facts *file,
                         struct json_object *value)
{
    enum json_type expected = which == FILE_METRICS ? json_type_array : json_type_object;
    file->valid = json_object_is_type(value, expected);
    if (!file->valid) {
        snprintf(file->why, sizeof file->why, "holds %s where OmniDaemon expects %s",
                 json_type_to_name(json_object_get_type(value)), json_type_to_name(expected));
        return;
    }
    file->entries = which == FILE_METRICS ? (int64_t)json_object_array_length(value)
                                          : json_object_object_length(value);
    if (which == FILE_RESULTS)
        take_expiries(file, value);
    if (which == FILE_AGENTS)
        file->agents = count_agents(value);
}

static void read_file(struct storage *storage, enum storage_file which)
{
    struct storage_file_facts *file = &storage->files[which];
    struct ov_buf text = {0};
    const char *name = storage_file_names[which];
    struct stat st;
    ov_buf_printf(&text, "%s/%s", storage->omni.json_dir, name);
    file->exists = stat(ov_buf_text(&text), &st) == 0;
    int64_t mtime_ns = !file->exists ? 0
                       : (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    bool same = file->checked && file->mtime_ns == mtime_ns && file->size == st.st_size &&
                file->inode == (int64_t)st.st_ino;
    bool allowed = access(ov_buf_text(&text), R_OK) == 0 || errno != EACCES;
    ov_buf_reset(&text);
    if (file->exists && !same) {
        file->mtime_ns = mtime_ns;
        file->size = st.st_size;
        file->inode = (int64_t)st.st_ino;
        file->entries = file->agents = -1;
        file->why[0] = '\0';
        struct json_object *value = json_read_file(storage->omni.json_dir, name, STORAGE_FILE_MAX,
                                                   &text);
        file->checked = st.st_size <= STORAGE_FILE_MAX && allowed;
        if (text.len) {
            file->valid = false;
            snprintf(file->why, sizeof file->why, "%s", ov_buf_text(&text));
        } else {
            take_content(which, file, value);
        }
        json_object_put(value);
    }
    if (file->exists && file->checked && !file->valid)
        ov_problem(storage->host, name, "%s: OmniDaemon reads this file as empty and will write "
                   "it over: save a copy now", file->why);
    else
        ov_recovered(storage->host, name);
    ov_buf_free(&text);
}

static int64_t results_alive(const struct storage_file_facts *file, double now)
{
    size_t low = 0, high = file->expiry_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (file->expiries[middle] > now)
            high = middle;
        else
            low = middle + 1;
    }
    return (int64_t)(file->expiry_count - low);
}

int storage_read_json(struct storage *storage)
{
    struct storage_facts *facts = &storage->facts;
    const char *dir = storage->omni.json_dir;
    int64_t began = ov_clock_ns();
    if (access(dir, R_OK | X_OK) != 0) {
        facts->fault = errno == ENOENT ? "missing" : errno == EACCES ? "noperm" : "unreadable";
        snprintf(facts->why, sizeof facts->why, "storage directory %s: %s%s", dir, strerror(errno),
                 errno == ENOENT ? ": set json_dir (JSON_STORAGE_DIR) to where OmniDaemon runs, "
                                   "or storage (STORAGE_BACKEND) to redis" : "");
        return ov_fail(storage->host, "%s", facts->why);
    }
    for (unsigned i = 0; i < STORAGE_FILES; i++)
        read_file(storage, (enum storage_file)i);
    facts->latency_seconds = (double)(ov_clock_ns() - began) / 1e9;
    const struct storage_file_facts *agents = &storage->files[FILE_AGENTS];
    const struct storage_file_facts *results = &storage->files[FILE_RESULTS];
    const struct storage_file_facts *metrics = &storage->files[FILE_METRICS];
    facts->topics = !agents->exists ? 0 : agents->valid ? agents->entries : -1;
    facts->agents = !agents->exists ? 0 : agents->valid ? agents->agents : -1;
    facts->results_indexed = !results->exists ? 0 : results->valid ? results->entries : -1;
    if (!results->exists || results->valid)
        facts->results = results->exists ? results_alive(results, (double)facts->now_ms / 1e3) : 0;
    facts->metrics_length = !metrics->exists ? 0 : metrics->valid ? metrics->entries : -1;
    return OV_OK;
}

void storage_files_free(struct storage *storage)
{
    for (unsigned i = 0; i < STORAGE_FILES; i++)
        free(storage->files[i].expiries);
}
