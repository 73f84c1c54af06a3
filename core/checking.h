/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of `omnivigil check`: what was asked, what was gathered, what was found.
 *
 *     cmd_check.c        the command: its flags, its clock, gathering
 *     checking.c         which rules and inputs; what was found
 *     checking_look.c    the rules, applied to the samples
 *     checking_print.c   text and performance data
 */
#ifndef OV_CHECKING_H
#define OV_CHECKING_H

#include "alert_mutes.h"
#include "omnivigil.h"
#include "settings.h"

enum ov_check_state {
    OV_CHECK_OK, OV_CHECK_WARNING, OV_CHECK_CRITICAL, OV_CHECK_UNKNOWN, /* as the exit status */
};
extern const char *const ov_check_words[]; /* "OK", ... */
extern const char *const ov_check_names[]; /* "ok", ...; NULL-terminated */
/* The state of that name; `otherwise` for NULL and what is no name. */
enum ov_check_state ov_check_state_of(const char *name, enum ov_check_state otherwise);

/* One series of one rule, or what is wrong with a whole rule or input. */
struct ov_checked {
    const struct ov_compiled_rule *rule; /* NULL: of an input, or of nothing */
    const struct ov_sample *sample;      /* NULL likewise */
    enum ov_check_state state;
    double value;          /* NaN: there is none */
    char *summary, *label; /* label NULL: no series of its own */
    bool no_value;         /* the rule has nothing to say: what it is about is absent */
    const struct ov_silence *silence;  /* that keeps it from counting; NULL: none */
    enum ov_check_state silenced;      /* what it would be without */
};

struct ov_checking {
    /* asked */
    char *const *words;
    int word_count;
    const char *warning, *critical, *topic, *agent; /* NULL: not given */
    enum ov_check_state unknown_as, nothing_as, late_as;
    int verbose;
    bool no_perfdata;

    struct ov_settings *settings;
    bool *wanted;              /* by rule */
    bool *named;               /* by rule: a word is its name */
    bool *chosen;              /* by input: a word is its name, or its plugin's */
    bool any_chosen;
    bool *failed;              /* by input */
    struct ov_batch **batches; /* by input; NULL: not needed */
    struct ov_mutes mutes;
    struct ov_checked *findings;
    size_t finding_count;
};

void ov_checking_add(struct ov_checking *c, const struct ov_compiled_rule *rule,
                     enum ov_check_state state, double value, const char *summary,
                     const char *label);
/* Finds out what the words and the ranges mean; false with a text in `error`. */
bool ov_checking_choose(struct ov_checking *c, struct ov_buf *error);
/* Whether a wanted rule looks at what this input measures: all inputs, if it was asked for by its
 * name, or no input was. */
bool ov_checking_looks_at(const struct ov_checking *c, size_t rule, size_t input);
/* Whether a wanted rule needs this input, or this field of a measurement. */
bool ov_checking_needs_input(const struct ov_checking *c, size_t input);
bool ov_checking_needs(const void *checking, const struct ov_measurement *m, unsigned field);
/* Applies the wanted rules to the batches. There is at least one finding afterwards. */
void ov_checking_look(struct ov_checking *c);
/* Prints all of it and returns the state: the worst finding's, UNKNOWN where printing failed. */
enum ov_check_state ov_checking_print(struct ov_checking *c);
/* Prints one line for a check that could not be made. */
enum ov_check_state ov_checking_refuse(const struct ov_buf *text);
void ov_checking_free(struct ov_checking *c); /* the content, without the settings */

#endif
