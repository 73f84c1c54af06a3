/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "alert.h"
#include "self.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

enum {
    AGENT_VERSION, AGENT_UPTIME, AGENT_CPU, AGENT_MEMORY, AGENT_CONFIG_VALID, AGENT_RELOADS,
    AGENT_RELOAD_FAILURES, AGENT_PLUGINS_MISSING,
};
static const struct ov_field agent_fields[] = {
    [AGENT_VERSION] = {"version", OV_TEXT, OV_GAUGE, "", "Version of omnivigil."},
    [AGENT_UPTIME] = {"uptime_seconds", OV_FLOAT, OV_GAUGE, "seconds", "Time since the start."},
    [AGENT_CPU] = {"cpu_seconds", OV_FLOAT, OV_COUNTER, "seconds", "Processor time used."},
    [AGENT_MEMORY] = {"memory_bytes", OV_INT, OV_GAUGE, "bytes", "Resident memory."},
    [AGENT_CONFIG_VALID] = {"config_valid", OV_BOOL, OV_GAUGE, "",
                            "Whether the configuration was good when it was last read."},
    [AGENT_RELOADS] = {"reloads", OV_INT, OV_COUNTER, "", "Reloads done."},
    [AGENT_RELOAD_FAILURES] = {"reload_failures", OV_INT, OV_COUNTER, "",
                               "Reloads refused because of errors in the configuration."},
    [AGENT_PLUGINS_MISSING] = {"plugins_missing", OV_INT, OV_GAUGE, "",
                               "Optional plugins that could not be loaded."},
};
static const struct ov_measurement agent_measurement = {
    .name = "omnivigil_agent", .help = "The agent's own process.",
    .fields = agent_fields, .field_count = OV_COUNT(agent_fields),
};

enum {
    INPUT_RUNS, INPUT_ERRORS, INPUT_SKIPPED, INPUT_SAMPLES, INPUT_DURATION, INPUT_FAILING,
    INPUT_LAST_SUCCESS,
};
static const char *const input_tags[] = {"input", "plugin"};
static const struct ov_field input_fields[] = {
    [INPUT_RUNS] = {"runs", OV_INT, OV_COUNTER, "", "Gathers done."},
    [INPUT_ERRORS] = {"errors", OV_INT, OV_COUNTER, "", "Gathers that failed."},
    [INPUT_SKIPPED] = {"skipped", OV_INT, OV_COUNTER, "",
                       "Gathers left out because the one before took too long."},
    [INPUT_SAMPLES] = {"samples", OV_INT, OV_COUNTER, "", "Samples gathered."},
    [INPUT_DURATION] = {"duration_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                        "Time the last gather took."},
    [INPUT_FAILING] = {"failing", OV_BOOL, OV_GAUGE, "", "Whether the last gather failed."},
    [INPUT_LAST_SUCCESS] = {"last_success_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                            "Time since the last gather that succeeded."},
};
static const struct ov_measurement input_measurement = {
    .name = "omnivigil_input", .help = "An input of the agent.",
    .tags = input_tags, .tag_count = OV_COUNT(input_tags),
    .fields = input_fields, .field_count = OV_COUNT(input_fields),
};

enum {
    OUTPUT_COLLECTED, OUTPUT_SENT, OUTPUT_DROPPED, OUTPUT_DROPPED_FULL, OUTPUT_DROPPED_REJECTED,
    OUTPUT_DROPPED_UNFIT, OUTPUT_DROPPED_EXPIRED, OUTPUT_DROPPED_DAMAGED,
    OUTPUT_DROPPED_SUPERSEDED, OUTPUT_BUFFERED, OUTPUT_BUFFERED_BYTES, OUTPUT_BUFFERED_DISK,
    OUTPUT_BUFFERED_DISK_BYTES, OUTPUT_REQUESTS, OUTPUT_RETRIES, OUTPUT_FAILING,
    OUTPUT_LAST_SUCCESS,
};
static const char *const output_tags[] = {"output", "plugin"};
static const struct ov_field output_fields[] = {
    [OUTPUT_COLLECTED] = {"collected", OV_INT, OV_COUNTER, "",
                          "Samples handed to this output: sent + dropped + buffered."},
    [OUTPUT_SENT] = {"sent", OV_INT, OV_COUNTER, "", "Samples the receiver took."},
    [OUTPUT_DROPPED] = {"dropped", OV_INT, OV_COUNTER, "", "Samples not delivered, for any cause."},
    [OUTPUT_DROPPED_FULL] = {"dropped_full", OV_INT, OV_COUNTER, "",
                             "Samples pushed out of a full queue, the oldest first."},
    [OUTPUT_DROPPED_REJECTED] = {"dropped_rejected", OV_INT, OV_COUNTER, "",
                                 "Samples the receiver refused for good."},
    [OUTPUT_DROPPED_UNFIT] = {"dropped_unfit", OV_INT, OV_COUNTER, "",
                              "Samples that cannot be written in the output's format."},
    [OUTPUT_DROPPED_EXPIRED] = {"dropped_expired", OV_INT, OV_COUNTER, "",
                                "Samples that waited longer than retry_limit."},
    [OUTPUT_DROPPED_DAMAGED] = {"dropped_damaged", OV_INT, OV_COUNTER, "",
                                "Samples that could not be read from disk again."},
    [OUTPUT_DROPPED_SUPERSEDED] = {"dropped_superseded", OV_INT, OV_COUNTER, "",
                                   "Alerts not sent because a newer state of theirs was there to "
                                   "be sent."},
    [OUTPUT_BUFFERED] = {"buffered", OV_INT, OV_GAUGE, "", "Samples that wait."},
    [OUTPUT_BUFFERED_BYTES] = {"buffered_bytes", OV_INT, OV_GAUGE, "bytes", "Bytes that wait."},
    [OUTPUT_BUFFERED_DISK] = {"buffered_disk", OV_INT, OV_GAUGE, "",
                              "Samples that wait on disk, of those buffered."},
    [OUTPUT_BUFFERED_DISK_BYTES] = {"buffered_disk_bytes", OV_INT, OV_GAUGE, "bytes",
                                    "Bytes that wait on disk, of those buffered."},
    [OUTPUT_REQUESTS] = {"requests", OV_INT, OV_COUNTER, "", "Sends tried."},
    [OUTPUT_RETRIES] = {"retries", OV_INT, OV_COUNTER, "",
                        "Sends that failed and are tried again."},
    [OUTPUT_FAILING] = {"failing", OV_BOOL, OV_GAUGE, "", "Whether the last send failed."},
    [OUTPUT_LAST_SUCCESS] = {"last_success_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                             "Time since the last send that succeeded."},
};
static const struct ov_measurement output_measurement = {
    .name = "omnivigil_output", .help = "An output of the agent, with its queue.",
    .tags = output_tags, .tag_count = OV_COUNT(output_tags),
    .fields = output_fields, .field_count = OV_COUNT(output_fields),
};

const struct ov_measurement *const ov_self_measurements[] = {
    &agent_measurement, &input_measurement, &output_measurement, &ov_alert_measurement,
    &ov_firing_measurement, &ov_rule_state_measurement, NULL,
};

const struct ov_rule ov_self_rules[] = {
    {.name = "no-data", .value = "omnivigil_input.failing",
     .critical = "0", .hold = "1m",
     .summary = "input {input} gathers nothing",
     .description = "The samples of this input are missing, and alerts that rest on them stay as "
                    "they are. The agent's log says why."},
    {.name = "output", .value = "omnivigil_output.failing", .critical = "0", .hold = "5m",
     .summary = "output {output} does not deliver, {buffered} samples wait",
     .description = "The receiver is away or refuses; the agent's log says why. Beyond the "
                    "queue's limits the oldest samples are dropped."},
    {.name = NULL},
};

static int64_t resident_bytes(void)
{
    long pages = -1;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (!statm)
        return -1;
    if (fscanf(statm, "%*d %ld", &pages) != 1)
        pages = -1;
    fclose(statm);
    return pages < 0 ? -1 : (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static void agent_sample(const struct ov_self *self, struct ov_batch *batch)
{
    struct ov_sample *s = ov_batch_add(batch, &agent_measurement);
    struct rusage use;
    int64_t memory = resident_bytes();
    getrusage(RUSAGE_SELF, &use);
    ov_sample_text(batch, s, AGENT_VERSION, ov_slice(VERSION));
    ov_sample_float(s, AGENT_UPTIME, (double)(ov_clock_ms() - self->started_ms) / 1e3);
    ov_sample_float(s, AGENT_CPU, (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                                      (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
    if (memory >= 0)
        ov_sample_int(s, AGENT_MEMORY, memory);
    ov_sample_bool(s, AGENT_CONFIG_VALID, self->config_valid);
    ov_sample_int(s, AGENT_RELOADS, (int64_t)self->reloads);
    ov_sample_int(s, AGENT_RELOAD_FAILURES, (int64_t)self->reload_failures);
    ov_sample_int(s, AGENT_PLUGINS_MISSING, (int64_t)self->plugins_missing);
}

static void since(struct ov_sample *s, unsigned field, int64_t at_ms)
{
    if (at_ms != INT64_MIN)
        ov_sample_float(s, field, (double)(ov_clock_ms() - at_ms) / 1e3);
}

static void input_sample(struct ov_input *input, struct ov_batch *batch)
{
    struct ov_sample *s = ov_batch_add(batch, &input_measurement);
    struct ov_input_stats stats = ov_input_stats(input);
    ov_sample_tag(batch, s, 0, ov_slice(ov_input_name(input)));
    ov_sample_tag(batch, s, 1, ov_slice(ov_input_plugin(input)));
    ov_sample_int(s, INPUT_RUNS, (int64_t)stats.runs);
    ov_sample_int(s, INPUT_ERRORS, (int64_t)stats.errors);
    ov_sample_int(s, INPUT_SKIPPED, (int64_t)stats.skipped);
    ov_sample_int(s, INPUT_SAMPLES, (int64_t)stats.samples);
    ov_sample_float(s, INPUT_DURATION, round(stats.last_duration_seconds * 1e6) / 1e6);
    if (stats.runs)
        ov_sample_bool(s, INPUT_FAILING, stats.failing);
    since(s, INPUT_LAST_SUCCESS, stats.last_success_ms);
}

static void output_sample(struct ov_output *output, struct ov_batch *batch)
{
    struct ov_sample *s = ov_batch_add(batch, &output_measurement);
    struct ov_output_stats stats = ov_output_stats(output);
    const struct ov_queue_counts *q = &stats.queue;
    ov_sample_tag(batch, s, 0, ov_slice(ov_output_name(output)));
    ov_sample_tag(batch, s, 1, ov_slice(ov_output_plugin(output)));
    ov_sample_int(s, OUTPUT_COLLECTED, (int64_t)q->collected);
    ov_sample_int(s, OUTPUT_SENT, (int64_t)q->sent);
    ov_sample_int(s, OUTPUT_DROPPED, (int64_t)ov_queue_dropped(q));
    ov_sample_int(s, OUTPUT_DROPPED_FULL, (int64_t)q->dropped_full);
    ov_sample_int(s, OUTPUT_DROPPED_REJECTED, (int64_t)q->dropped_rejected);
    ov_sample_int(s, OUTPUT_DROPPED_UNFIT, (int64_t)q->dropped_unfit);
    ov_sample_int(s, OUTPUT_DROPPED_EXPIRED, (int64_t)q->dropped_expired);
    ov_sample_int(s, OUTPUT_DROPPED_DAMAGED, (int64_t)q->dropped_damaged);
    ov_sample_int(s, OUTPUT_DROPPED_SUPERSEDED, (int64_t)q->dropped_superseded);
    ov_sample_int(s, OUTPUT_BUFFERED, (int64_t)q->buffered);
    ov_sample_int(s, OUTPUT_BUFFERED_BYTES, (int64_t)q->buffered_bytes);
    ov_sample_int(s, OUTPUT_BUFFERED_DISK, (int64_t)q->buffered_disk);
    ov_sample_int(s, OUTPUT_BUFFERED_DISK_BYTES, (int64_t)q->buffered_disk_bytes);
    ov_sample_int(s, OUTPUT_REQUESTS, (int64_t)stats.requests);
    ov_sample_int(s, OUTPUT_RETRIES, (int64_t)stats.retries);
    ov_sample_bool(s, OUTPUT_FAILING, stats.failing);
    since(s, OUTPUT_LAST_SUCCESS, stats.last_success_ms);
}

void ov_self_gather(const struct ov_self *self, struct ov_input *const *inputs,
                    size_t input_count, struct ov_output *const *outputs, size_t output_count,
                    struct ov_batch *batch)
{
    agent_sample(self, batch);
    for (size_t i = 0; i < input_count; i++)
        input_sample(inputs[i], batch);
    for (size_t i = 0; i < output_count; i++)
        output_sample(outputs[i], batch);
}
