/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another command within the run of one, as a part of what that shows: it has arguments and views
 * of its own, and shares inputs and what was gathered. And ending a run from another thread.
 */
#include <stdlib.h>

#include "call_inside.h"
#include "command.h"
#include "host.h"

/* All commands of the configuration's inputs; the caller frees the rows. */
static struct ov_command_row *rows_of(const struct ov_settings *settings, size_t *count)
{
    struct ov_command_row *rows = NULL;
    *count = 0;
    for (size_t i = 0; i < settings->input_count; i++) {
        const struct ov_plugin *plugin = settings->inputs[i].plugin;
        for (size_t k = 0; plugin->commands && plugin->commands[k]; k++) {
            rows = ov_realloc(rows, *count + 1, sizeof *rows);
            rows[(*count)++] = (struct ov_command_row){plugin->commands[k], plugin};
        }
    }
    return rows;
}

/* What makes it look at the same OmniDaemon in the same way. */
static void hand_on(const struct ov_call *call, struct ov_arguments *arguments, unsigned common)
{
    static const enum ov_call_common kept[] = {OV_CALL_CONFIG, OV_CALL_PLUGIN_DIR, OV_CALL_INPUT};
    for (size_t i = 0; i < OV_COUNT(kept); i++)
        arguments->values[common + kept[i]] = call->arguments->values[call->common + kept[i]];
}

static int run_row(struct ov_call *call, const struct ov_command_row *row,
                   const struct ov_arguments *arguments, unsigned common,
                   struct ov_shown *shown, struct ov_buf *out)
{
    const char *why;
    const struct ov_call before = *call;
    void *state = ov_call_state(call, row->plugin->name, &why);
    if (!state) {
        ov_buf_printf(out, "%s\n", why);
        return OV_EXIT_UNABLE;
    }
    ov_call_forget_findings(call); /* those are of other topics and agents */
    call->own = ov_call_beside(call, row->plugin->name);
    call->command = row->command;
    call->arguments = arguments;
    call->common = common;
    call->shown = shown;
    call->format = OV_SHOW_TABLE;
    call->said = out;
    int status = row->command->run(state, call);
    if (status != OV_EXIT_USAGE && status != OV_EXIT_UNABLE)
        ov_shown_write(shown, false, out);
    ov_call_forget_findings(call);
    call->own = before.own;
    call->command = before.command;
    call->arguments = before.arguments;
    call->common = before.common;
    call->shown = before.shown;
    call->format = before.format;
    call->said = before.said;
    return status;
}

int ov_call_other(struct ov_call *call, int argc, char **argv, unsigned width, bool colours,
                  struct ov_buf *out)
{
    struct ov_arguments arguments;
    struct ov_buf error = {0};
    size_t count;
    int words, status = OV_EXIT_USAGE;
    unsigned common;
    struct ov_command_row *rows = rows_of(call->settings, &count);
    const struct ov_command_row *row = ov_command_find(rows, count, argc, argv, &words);
    if (row) {
        struct ov_flag *flags = ov_command_flags(row, &common);
        if (ov_arguments_read(row->command, flags, argc - words, argv + words, &arguments,
                              &error)) {
            struct ov_shown *shown = ov_shown_new((struct ov_show_style){
                .format = OV_SHOW_TABLE, .width = width, .colours = colours});
            hand_on(call, &arguments, common);
            status = run_row(call, row, &arguments, common, shown, out);
            ov_shown_free(shown);
        }
        free(flags);
    } else {
        ov_buf_printf(&error, "no input brings the command `%s`", argc ? argv[0] : "");
    }
    if (error.len)
        ov_buf_printf(out, "%s\n", ov_buf_text(&error));
    ov_buf_free(&error);
    free(rows);
    return status;
}

void ov_call_stop(struct ov_call *call)
{
    for (size_t i = 0; i < call->settings->input_count; i++)
        if (call->called[i].input)
            ov_host_stop(ov_input_host(call->called[i].input));
}
