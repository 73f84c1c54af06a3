/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names are compared with what was written word by word, each of which must be near on its own:
 * otherwise `bus frob` were near to `bus list` for the word they share. The guess that explains the
 * most words is the best, then the one with the fewest slips, then the one that left out fewest.
 */
#include <stdlib.h>

#include "command_guess.h"
#include "nearest.h"

enum { MOST_WORDS = 4 };

struct phrase {
    struct ov_slice words[MOST_WORDS];
    int count;
};

static struct phrase split(const char *name)
{
    struct phrase phrase = {.count = 0};
    while (*name && phrase.count < MOST_WORDS) {
        size_t len = strcspn(name, " ");
        phrase.words[phrase.count++] = (struct ov_slice){name, len};
        name += len + (name[len] == ' ');
    }
    return phrase;
}

/* Words, until the options begin. */
static int count_words(int argc, char **argv)
{
    int count = 0;
    while (count < argc && argv[count][0] != '-')
        count++;
    return count;
}

/* Adds the slips in one word; false where it is another. One that was begun has none. */
static bool word_is_near(const char *written, struct ov_slice word, size_t *slips)
{
    struct ov_nearest nearest = {.wanted = ov_slice(written)};
    char *name = ov_memdup(word.ptr, word.len);
    bool begun = strlen(written) > 2 && ov_slice_starts(word, nearest.wanted);
    if (!begun)
        ov_nearest_try(&nearest, name);
    bool near = begun || nearest.best;
    *slips += begun ? 0 : nearest.distance;
    free(name);
    return near;
}

static bool words_are_near(const struct phrase *phrase, int from, int to, char **argv,
                           size_t *slips)
{
    *slips = 0;
    for (int i = from; i < to; i++)
        if (!word_is_near(argv[i - from], phrase->words[i], slips))
            return false;
    return true;
}

/* Words `from` to `to` of a name, compared with the first ones that were written. */
struct attempt {
    int from, to;
    size_t slips;
};

static bool is_better(const struct attempt *a, const struct attempt *b)
{
    int words = a->to - a->from, others = b->to - b->from;
    if (words != others)
        return words > others;
    return a->slips != b->slips ? a->slips < b->slips : a->from < b->from;
}

/* The best that one name offers: all of it, its end, or the begin that it shares with others, which
 * is no guess where it is what was written. */
static bool attempt_name(const struct phrase *name, int given, char **argv, struct attempt *best)
{
    bool found = false;
    for (int from = 0; from < name->count; from++) {
        for (int to = from > 0 ? name->count : 1; to <= name->count; to++) {
            struct attempt one = {from, to, 0};
            if (to - from > given || !words_are_near(name, from, to, argv, &one.slips))
                continue;
            bool known = from == 0 && to < name->count && one.slips == 0;
            if (known || (found && !is_better(&one, best)))
                continue;
            *best = one;
            found = true;
        }
    }
    return found;
}

struct ov_command_guess ov_command_guess(const struct ov_command_row *rows, size_t count, int argc,
                                         char **argv)
{
    struct ov_command_guess guess = {.words = 0};
    struct attempt best = {.from = 0, .to = 0}, one;
    int given = count_words(argc, argv);
    for (size_t i = 0; i < count; i++) {
        struct phrase name = split(rows[i].command->name);
        if (!attempt_name(&name, given, argv, &one) || !is_better(&one, &best))
            continue;
        const struct ov_slice *first = name.words, *last = &name.words[one.to - 1];
        guess.name = (struct ov_slice){first->ptr, (size_t)(last->ptr + last->len - first->ptr)};
        guess.words = one.to - one.from;
        best = one;
    }
    return guess;
}

const struct ov_command *ov_command_guess_more(const struct ov_command_row *rows, size_t count,
                                               const char *before, int argc, char **argv)
{
    const struct ov_command *best = NULL;
    struct phrase begin = split(before);
    size_t fewest = 0, slips;
    int given = count_words(argc, argv);
    for (size_t i = 0; i < count; i++) {
        struct phrase name = split(rows[i].command->name);
        size_t len = strlen(before);
        if (strncmp(rows[i].command->name, before, len) != 0 ||
            rows[i].command->name[len] != ' ' || name.count - begin.count > given ||
            !words_are_near(&name, begin.count, name.count, argv, &slips) ||
            (best && slips >= fewest))
            continue;
        best = rows[i].command;
        fewest = slips;
    }
    return best;
}
