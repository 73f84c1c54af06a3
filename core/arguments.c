/* SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"
#include "nearest.h"

static bool choice_is_known(const struct ov_flag *flag, const char *value, struct ov_buf *error)
{
    struct ov_nearest nearest = {.wanted = ov_slice(value)};
    if (!flag->choices)
        return true;
    for (size_t i = 0; flag->choices[i]; i++) {
        if (strcmp(flag->choices[i], value) == 0)
            return true;
        ov_nearest_try(&nearest, flag->choices[i]);
    }
    ov_buf_printf(error, "--%s takes", flag->name);
    for (size_t i = 0; flag->choices[i]; i++)
        ov_buf_printf(error, "%s `%s`", i == 0 ? "" : flag->choices[i + 1] ? "," : " or",
                      flag->choices[i]);
    ov_buf_str(error, ", not `");
    ov_buf_escaped(error, ov_slice(value));
    ov_buf_char(error, '`');
    ov_nearest_hint(&nearest, error);
    return false;
}

/* The flag that `word` names ("--format", "--format=json", "-c"), with a value that stands in the
 * same word in *value, or NULL with an error. */
static const struct ov_flag *find_flag(const struct ov_flag *flags, const char *word,
                                       const char **value, struct ov_buf *error)
{
    struct ov_nearest nearest = {0};
    bool is_long = word[1] == '-';
    const char *name = word + (is_long ? 2 : 1);
    size_t len = is_long ? strcspn(name, "=") : 1;
    nearest.wanted = (struct ov_slice){name, len};
    *value = is_long ? (name[len] ? name + len + 1 : NULL) : (name[1] ? name + 1 : NULL);
    for (const struct ov_flag *flag = flags; flag->name; flag++) {
        if (is_long ? strlen(flag->name) == len && memcmp(flag->name, name, len) == 0
                    : flag->letter == *name)
            return flag;
        if (is_long)
            ov_nearest_try(&nearest, flag->name);
    }
    ov_buf_str(error, "unknown option `");
    ov_buf_escaped(error, (struct ov_slice){word, (size_t)(name - word) + len});
    ov_buf_char(error, '`');
    if (nearest.best)
        ov_buf_printf(error, " (did you mean `--%s`?)", nearest.best);
    return NULL;
}

/* `-vv` is `-v` twice; any other value of a flag that takes none is an error. */
static bool count_letters(const struct ov_flag *flag, const char *word, const char *value,
                          int *count, struct ov_buf *error)
{
    size_t more = word[1] == '-' ? 0 : strspn(value, (char[]){flag->letter, '\0'});
    if (more == 0 || value[more]) {
        ov_buf_printf(error, "--%s takes no value", flag->name);
        return false;
    }
    *count += (int)more;
    return true;
}

static bool is_number(const char *word)
{
    return word && *word >= '0' && *word <= '9';
}

/* The flag of argv[*i], and its value, which may be the next word. */
static bool read_flag(const struct ov_flag *flags, int argc, char **argv, int *i,
                      struct ov_arguments *arguments, struct ov_buf *error)
{
    const char *word = argv[*i], *value;
    const struct ov_flag *flag = find_flag(flags, word, &value, error);
    if (!flag)
        return false;
    int *count = &arguments->counts[flag - flags];
    const char *next = *i + 1 < argc ? argv[*i + 1] : NULL;
    if (!flag->value && value && !count_letters(flag, word, value, count, error))
        return false;
    if (flag->value && !value) {
        bool optional = flag->value[0] == '[';
        if (next && (!optional || is_number(next))) {
            value = next;
            ++*i;
        } else if (!optional) {
            ov_buf_printf(error, "--%s needs a value: %s", flag->name, flag->value);
            return false;
        }
    }
    if (flag->value && value && !choice_is_known(flag, value, error))
        return false;
    arguments->values[flag - flags] = flag->value && value ? value : "";
    ++*count;
    return true;
}

/* The flag that `word` is, where its value may be left out, and was; NULL if it is none such. */
static const struct ov_flag *open_flag(const struct ov_flag *flags, const char *word)
{
    struct ov_buf ignored = {0};
    const char *value = NULL;
    const struct ov_flag *flag =
        word[0] == '-' && word[1] ? find_flag(flags, word, &value, &ignored) : NULL;
    ov_buf_free(&ignored);
    return flag && !value && flag->value && flag->value[0] == '[' ? flag : NULL;
}

static void refuse_words(const struct ov_command *command, const struct ov_arguments *arguments,
                         const struct ov_flag *before, struct ov_buf *error)
{
    int count = arguments->word_count;
    ov_buf_printf(error, "`%s` takes %s, got ", command->name,
                  *command->takes ? command->takes : "no words");
    if (count == 1) {
        ov_buf_char(error, '`');
        ov_buf_escaped(error, ov_slice(arguments->words[0]));
        ov_buf_char(error, '`');
    } else {
        ov_buf_printf(error, "%d words", count);
    }
    if (before)
        ov_buf_printf(error, "; what follows --%s must be a number: --%s %.*s", before->name,
                      before->name, (int)strlen(before->value) - 2, before->value + 1);
}

bool ov_arguments_read(const struct ov_command *command, const struct ov_flag *flags, int argc,
                       char **argv, struct ov_arguments *arguments, struct ov_buf *error)
{
    const struct ov_flag *before = NULL;
    bool flags_end = false;
    *arguments = (struct ov_arguments){.words = argv};
    for (int i = 0; i < argc; i++) {
        if (flags_end || argv[i][0] != '-' || !argv[i][1]) {
            if (i > 0 && !before)
                before = open_flag(flags, argv[i - 1]);
            arguments->words[arguments->word_count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            flags_end = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            arguments->help = true;
            return true;
        } else if (!read_flag(flags, argc, argv, &i, arguments, error)) {
            return false;
        }
    }
    if (arguments->word_count < command->words_min || arguments->word_count > command->words_max) {
        refuse_words(command, arguments, before, error);
        return false;
    }
    return true;
}

const char *ov_arguments_peek(int argc, char **argv, const char *name, char letter)
{
    size_t len = strlen(name);
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *word = argv[i];
        const char *next = i + 1 < argc ? argv[i + 1] : NULL;
        if (word[0] != '-')
            continue;
        if (word[1] == '-' && strncmp(word + 2, name, len) == 0) {
            if (word[2 + len] == '=')
                return word + 3 + len;
            if (!word[2 + len])
                return next;
        }
        if (letter && word[1] == letter)
            return word[2] ? word + 2 : next;
    }
    return NULL;
}
