/* SPDX-License-Identifier: Apache-2.0 */
/* The command `top`: what it takes, and that there is a terminal for it. The rest is a module. */
#include <unistd.h>

#include "runner_call.h"
#include "scalar.h"
#include "top.h"
#include "top_keys.h"

enum { FLAG_INTERVAL };
static const struct ov_flag flags[] = {
    [FLAG_INTERVAL] = {"interval", 'd', "DURATION", "look every 500ms, 2s (the default), 1m", NULL},
    {NULL, 0, NULL, NULL, NULL},
};

static int top_run(void *state, struct ov_call *call)
{
    enum { INTERVAL_MS = 2000, INTERVAL_MIN_MS = 200, INTERVAL_MAX_MS = 3600000 };
    const struct runner *runner = state;
    const char *interval = ov_call_flag(call, FLAG_INTERVAL);
    int64_t interval_ms = INTERVAL_MS;
    const char *wrong = interval ? ov_scalar_duration(ov_slice(interval), &interval_ms) : NULL;
    if (!wrong && (interval_ms < INTERVAL_MIN_MS || interval_ms > INTERVAL_MAX_MS))
        wrong = "expected a duration from 200ms to 1h";
    if (wrong)
        return ov_call_usage(call, "--interval: %s, got `%s`", wrong, interval);
    if (!ov_call_is_for_persons(call))
        return ov_call_usage(call, "top draws a screen and has no other format: `agent list`, "
                             "`metrics` and `bus groups` have the same figures");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return ov_call_usage(call, "top needs a terminal, for its screen and its keys: `omnivigil "
                             "health --watch` does without");
    const struct top_module *top = ov_host_module(runner->host, "top", "top_module");
    return top ? top->run(call, interval_ms) : ov_call_unable(call, "%s", "its module is missing");
}

static const char more[] =
    "Agents, consumer groups, dead letter queues and what fires now, looked at again and again.\n"
    "Rates are those between two looks. Enter tells all about a row: the agent, its failures and\n"
    "the exceptions behind them. Where Redis does not answer, the screen says how old it is.\n"
    "The exit status is 3 where nothing could be seen. Keys:\n"
    TOP_KEY_LINES;

static const char *const figures[] = {"omnidaemon_*", NULL};

const struct ov_command runner_command_top = {
    .name = "top", .takes = "", .summary = "Agents, groups, dead letters and alerts, live",
    .more = more, .example = "omnivigil top --interval 1s", .flags = flags, .run = top_run,
    .once = true,
    .figures = figures,
};
