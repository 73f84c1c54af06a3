/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shell completion from the commands' own rows: the scripts of the shells only ask. What a word
 * may be is told by what the row says it takes (INPUT, RULE, NAME of a plugin), and a flag's value
 * by its choices.
 */
#include <stdio.h>
#include <stdlib.h>

#include "complete.h"

struct completion {
    const struct ov_complete *known;
    struct ov_slice begun; /* what is there of the word */
};

static void offer(const struct completion *c, const char *word, const char *what)
{
    if (!ov_slice_starts(ov_slice(word), c->begun))
        return;
    printf(what && *what ? "%s\t%s\n" : "%s\n", word, what);
}

/* The words that may follow argv in a command's name. */
static void offer_commands(const struct completion *c, int argc, char **argv)
{
    struct ov_buf before = {0}, seen = {0};
    for (int i = 0; i < argc; i++)
        ov_buf_printf(&before, "%s ", argv[i]);
    for (size_t i = 0; i < c->known->row_count; i++) {
        const struct ov_command *command = c->known->rows[i].command;
        struct ov_slice name = ov_slice(command->name);
        if (!ov_slice_starts(name, (struct ov_slice){before.data, before.len}))
            continue;
        const char *rest = command->name + before.len;
        size_t len = strcspn(rest, " ");
        struct ov_buf word = {0}, mark = {0};
        ov_buf_add(&word, rest, len);
        ov_buf_printf(&mark, "\n%s\n", ov_buf_text(&word));
        if (!strstr(ov_buf_text(&seen), ov_buf_text(&mark)))
            offer(c, ov_buf_text(&word), rest[len] ? NULL : command->summary);
        ov_buf_slice(&seen, (struct ov_slice){mark.data, mark.len});
        ov_buf_free(&word);
        ov_buf_free(&mark);
    }
    if (argc == 0 && c->begun.len && c->begun.ptr[0] == '-') {
        offer(c, "--help", "all commands");
        offer(c, "--version", "which version this is");
    }
    ov_buf_free(&before);
    ov_buf_free(&seen);
}

static void offer_flags(const struct completion *c, const struct ov_flag *flags)
{
    char word[64];
    for (const struct ov_flag *flag = flags; flag->name; flag++) {
        snprintf(word, sizeof word, "--%s", flag->name);
        offer(c, word, flag->help);
    }
    offer(c, "--help", "what the command does and takes");
}

static void offer_inputs(const struct completion *c)
{
    const struct ov_settings *settings = c->known->settings;
    for (size_t i = 0; settings && i < settings->input_count; i++)
        offer(c, settings->inputs[i].name, settings->inputs[i].plugin->summary);
}

static bool is_measured(const struct ov_settings *settings, const struct ov_measurement *m)
{
    for (size_t i = 0; i < settings->input_count; i++)
        for (size_t j = 0; settings->inputs[i].plugin->measurements[j]; j++)
            if (settings->inputs[i].plugin->measurements[j] == m)
                return true;
    return false;
}

/* Those that one look can tell: not the ones about the agent itself. */
static void offer_rules(const struct completion *c)
{
    const struct ov_settings *settings = c->known->settings;
    for (size_t i = 0; settings && i < settings->rule_count; i++)
        if (is_measured(settings, ov_rule_measurement(settings->rules[i])))
            offer(c, ov_rule_name(settings->rules[i]), "rule");
}

static void offer_plugins(const struct completion *c)
{
    size_t count = 0;
    char **names = c->known->plugins ? ov_plugins_list(c->known->plugins, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        offer(c, names[i], NULL);
        free(names[i]);
    }
    free(names);
    offer(c, "agent", "the agent itself");
    offer(c, "rules", "alert rules and silences");
}

/* The flag whose value the word after `word` is; NULL if it is none. */
static const struct ov_flag *flag_before(const struct ov_flag *flags, const char *word)
{
    if (!word || word[0] != '-')
        return NULL;
    for (const struct ov_flag *flag = flags; flag->name; flag++)
        if (flag->value && flag->value[0] != '[' &&
            (word[1] == '-' ? strcmp(word + 2, flag->name) == 0
                            : flag->letter && word[1] == flag->letter && !word[2]))
            return flag;
    return NULL;
}

static void offer_values(const struct completion *c, const struct ov_flag *flag)
{
    for (size_t i = 0; flag->choices && flag->choices[i]; i++)
        offer(c, flag->choices[i], NULL);
    if (strcmp(flag->name, "input") == 0)
        offer_inputs(c);
}

static void offer_words(const struct completion *c, const struct ov_command_row *row)
{
    if (strstr(row->command->takes, "RULE"))
        offer_rules(c);
    if (strstr(row->command->takes, "INPUT"))
        offer_inputs(c);
    if (!row->plugin && strstr(row->command->takes, "NAME"))
        offer_plugins(c);
}

int ov_complete(const struct ov_complete *known, int argc, char **argv)
{
    int words = 0, last = argc - 1;
    struct completion c = {.known = known, .begun = ov_slice(last >= 0 ? argv[last] : "")};
    const struct ov_command_row *row =
        ov_command_find(known->rows, known->row_count, last, argv, &words);
    unsigned common;
    if (last < 0)
        return OV_EXIT_USAGE;
    if (!row || words == last) /* "bus dlq" may go on with "republish" */
        offer_commands(&c, last, argv);
    if (!row)
        return OV_EXIT_FINE;
    struct ov_flag *flags = ov_command_flags(row, &common);
    const struct ov_flag *flag = last > words ? flag_before(flags, argv[last - 1]) : NULL;
    if (flag)
        offer_values(&c, flag);
    else if (c.begun.len && c.begun.ptr[0] == '-')
        offer_flags(&c, flags);
    else
        offer_words(&c, row);
    free(flags);
    return OV_EXIT_FINE;
}
