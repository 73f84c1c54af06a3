/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as saved state of the runner and bus inputs: what is taken is written the same way
 * again and again, what is refused leaves nothing behind. */
#include <stdio.h>
#include <stdlib.h>

#include "bus.h"
#include "follow_file.h"
#include "host.h"
#include "savefile.h"
#include "tasks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static struct ov_slice text_of(const struct ov_buf *buf)
{
    return (struct ov_slice){buf->data, buf->len};
}

/* Loads tasks, and saves them again; false for damaged text. */
static bool tasks_turn(struct ov_slice text, struct ov_buf *out)
{
    struct tasks tasks = {.window_ms = 60000};
    struct ov_slice line;
    bool damaged = false;
    while (saved_line(&text, &line))
        tasks_load_line(&tasks, line, &damaged);
    tasks_save(&tasks, out);
    tasks_free(&tasks);
    return !damaged;
}

static bool bus_turn(struct ov_host *host, struct ov_slice text, struct ov_buf *out)
{
    const struct redis_options options = {.url = (char *)"redis://localhost"};
    struct bus bus = {.host = host, .redis = redis_new(&options, host)};
    bool good = bus_load(&bus, text) == OV_OK;
    require(good || (bus.counts.count == 0 && bus.groups.count == 0), "left behind");
    bus_save(&bus, out);
    pairs_free(&bus.counts, NULL);
    pairs_free(&bus.groups, bus_group_free);
    redis_free(bus.redis);
    return good;
}

/* What is behind the first line, which tells when it was saved. */
static struct ov_slice lasting(const struct ov_buf *saved)
{
    struct ov_slice text = text_of(saved), line;
    require(saved_line(&text, &line), "nothing was saved");
    return text;
}

static void check_stable(struct ov_host *host, struct ov_slice text)
{
    struct ov_buf first = {0}, second = {0};
    if (tasks_turn(text, &first)) {
        require(tasks_turn(text_of(&first), &second), "tasks: what was saved is damaged");
        require(ov_slice_eq(text_of(&first), text_of(&second)), "tasks: saved differently");
    }
    ov_buf_reset(&first);
    ov_buf_reset(&second);
    if (bus_turn(host, text, &first)) {
        require(bus_turn(host, text_of(&first), &second), "bus: what was saved is damaged");
        require(ov_slice_eq(lasting(&first), lasting(&second)), "bus: saved differently");
    }
    ov_buf_free(&first);
    ov_buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ov_host *host = ov_host_new("fuzz", ".", true);
    char *text = ov_memdup(data, size);
    struct follow_file file;
    check_stable(host, (struct ov_slice){text, size});
    if (follow_file_read(&file, (struct ov_slice){text, size}))
        require(file.last_saved_at >= 0 && file.same_moment >= 0, "a place of no sense");
    free(text);
    ov_host_free(host);
    return 0;
}
