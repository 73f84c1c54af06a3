/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills the private Redis with what OmniDaemon 0.1.1 leaves there, byte by byte as it writes it.
 *
 *     fill PORT topics N PENDING     N topics x 2 agents x 2 consumers, all caught up but for
 *                                    PENDING entries of each group; registered in storage
 *     fill PORT streams N PENDING    the same without anything in storage
 *     fill PORT results N            N results of tasks
 *     fill PORT events N             N task events in the metrics stream
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define ENTRIES 4 /* of a topic, beside what is to stay pending */

static void register_agent(struct pipeline *p, const char *topic, const char *agent)
{
    pipeline_send(p, "HSET omni:agent:%s:%s name %s callback_name run tools [] description %s "
                  "config %s topic %s created_at 1700000000.25", topic, agent, agent,
                  "benchmark agent", "{\"consumer_count\": 2, \"reclaim_idle_ms\": 180000, "
                  "\"dlq_retry_limit\": 3}", topic);
    pipeline_send(p, "SADD omni:agents:topic:%s %s", topic, agent);
    pipeline_send(p, "SADD omni:topics %s", topic);
    pipeline_send(p, "SET omni:config:_subscription_active:group:%s:%s true", topic, agent);
}

static void publish(struct pipeline *p, const char *topic, unsigned long entry)
{
    char data[512];
    snprintf(data, sizeof data, "{\"content\": {\"path\": \"/srv/in/%lu.txt\", \"action\": "
             "\"summarise\"}, \"webhook\": null, \"reply_to\": null, \"topic\": \"%s\", "
             "\"task_id\": \"5f0c1c6e-0000-4000-8000-%012lu\", \"correlation_id\": null, "
             "\"causation_id\": null, \"source\": \"bench\", \"delivery_attempts\": 0, "
             "\"created_at\": 1700000000.123456}", entry, topic, entry);
    pipeline_send(p, "XADD omni-stream:%s MAXLEN ~ 10000 1700000000000-%lu data %s", topic,
                  entry + 1, data);
}

/* Both consumers read their share; what is not to stay pending is acknowledged. */
static void consume(struct pipeline *p, const char *topic, const char *agent, unsigned long pending)
{
    unsigned long entries = ENTRIES + pending;
    for (unsigned long consumer = 1; consumer <= 2; consumer++)
        pipeline_send(p, "XREADGROUP GROUP group:%s:%s consumer:%s-%lu COUNT %lu STREAMS "
                      "omni-stream:%s >", topic, agent, agent, consumer, (entries + 1) / 2, topic);
    for (unsigned long entry = 0; entry < ENTRIES; entry++)
        pipeline_send(p, "XACK omni-stream:%s group:%s:%s 1700000000000-%lu", topic, topic, agent,
                      entry + 1);
}

static void fill_topics(struct pipeline *p, unsigned long count, unsigned long pending, bool registered)
{
    char topic[48];
    for (unsigned long i = 0; i < count; i++) {
        topic_name(topic, i);
        for (unsigned long a = 0; a < 2; a++) {
            pipeline_send(p, "XGROUP CREATE omni-stream:%s group:%s:%s $ MKSTREAM", topic, topic,
                          agents[a]);
            if (registered)
                register_agent(p, topic, agents[a]);
        }
        for (unsigned long entry = 0; entry < ENTRIES + pending; entry++)
            publish(p, topic, entry);
        for (unsigned long a = 0; a < 2; a++)
            consume(p, topic, agents[a], pending);
    }
}

static void fill_results(struct pipeline *p, unsigned long count)
{
    for (unsigned long i = 0; i < count; i++)
        pipeline_send(p, "SET omni:result:5f0c1c6e-0000-4000-8000-%012lu %s EX 86400", i,
                      "{\"result\": {\"summary\": \"done\"}, \"saved_at\": 1700000000.123456}");
}

/* As the runner writes them: each task is received, then processed; one in 20 fails. */
static void fill_events(struct pipeline *p, unsigned long count)
{
    char id[48], data[640];
    for (unsigned long i = 0; i < count; i++) {
        unsigned long task = i / 2;
        int len = snprintf(data, sizeof data, "{\"topic\": \"bench.%05lu.tasks\", \"agent\": "
                           "\"%s\", \"runner_id\": \"0b7ad1c2-5f9a-4d5e-9a39-3c9f4b7f1b11\", "
                           "\"event\": \"%s\", \"task_id\": \"5f0c1c6e-0000-4000-8000-%012lu\", ",
                           task % 50, agents[task & 1], i % 2 == 0 ? "task_received"
                           : task % 20 ? "task_processed" : "task_failed", task);
        if (i % 2 && task % 20)
            len += snprintf(data + len, sizeof data - (size_t)len, "\"processing_time_sec\": "
                            "%lu.%06lu123456789, ", task % 30, task % 1000000);
        else if (i % 2)
            len += snprintf(data + len, sizeof data - (size_t)len, "\"msg_id\": null, \"error\": "
                            "\"the model did not answer in time\", \"error_type\": "
                            "\"TimeoutError\", ");
        snprintf(data + len, sizeof data - (size_t)len, "\"timestamp\": %lu.%06lu, \"saved_at\": "
                 "%lu.%06lu}", 1700000000 + i / 4000, i * 250 % 1000000, 1700000000 + i / 4000,
                 (i * 250 + 100) % 1000000);
        event_id(i, id);
        pipeline_send(p, "XADD omni:metrics:stream %s data %s", id, data);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4)
        die("usage: fill PORT topics|streams|results|events N [PENDING]");
    struct pipeline p = {redis_dial(number_argument(argv[1], "port", 65535)), 0};
    unsigned long count = (unsigned long)number_argument(argv[3], "count", 100000000);
    unsigned long pending = argc > 4 ? (unsigned long)number_argument(argv[4], "pending", 100000) : 0;
    if (strcmp(argv[2], "topics") == 0 || strcmp(argv[2], "streams") == 0)
        fill_topics(&p, count, pending, argv[2][0] == 't');
    else if (strcmp(argv[2], "results") == 0)
        fill_results(&p, count);
    else if (strcmp(argv[2], "events") == 0)
        fill_events(&p, count);
    else
        die("cannot fill in %s", argv[2]);
    pipeline_end(&p);
    redisFree(p.redis);
    return 0;
}
