/* SPDX-License-Identifier: Apache-2.0 */
/*
 * omnivigil.h: everything a plugin needs, and the only core header it includes.
 *
 * A plugin is a shared object that exports one constant, `omnivigil_plugin`, declared with
 * OV_PLUGIN. It is data first: tables of options and measurements, from which the core reads the
 * configuration, checks it, prints `omnivigil plugins NAME` and types every output; then a few
 * functions. One plugin may run as several instances; each has its own state, zeroed and filled
 * in from the option table by the core before `open`.
 *
 *     input:   open -> load -> { gather -> save -> idle } ... -> close      (one thread each)
 *     output:  open -> { encode }  from the inputs' threads, one at a time
 *                   -> { send }    from the output's own thread             -> close
 *
 * Samples flow one way: gather fills a batch, the batch is immutable from then on, every output
 * encodes it to bytes, the bytes wait in that output's queue until send has delivered them.
 *
 * Memory: the ov_*alloc functions never return NULL; running out of memory ends the process with
 * a message, since whatever comes from outside is bounded before it is stored.
 */
#ifndef OMNIVIGIL_H
#define OMNIVIGIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a struct of this header changes its layout or a function its meaning. */
#define OV_ABI 3
#define OV_API __attribute__((visibility("default")))
#define OV_MUST_CHECK __attribute__((warn_unused_result))
#define OV_PRINTF(at, first) __attribute__((format(printf, at, first)))
#define OV_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What functions that can fail return. The text of a failure is where the function says. */
enum ov_status {
    OV_OK = 0,
    OV_FAILED = -1,  /* see the text that goes with it */
    OV_STOPPED = -2, /* the agent is stopping: unwind, nothing is wrong */
};

/* ---------------------------------------------------------------- memory and bytes */

OV_API void *ov_malloc(size_t size) __attribute__((malloc, returns_nonnull));
OV_API void *ov_calloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/* Grows to `count * size` bytes; an overflow of the product ends the process. */
OV_API void *ov_realloc(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
OV_API char *ov_strdup(const char *text) __attribute__((malloc, returns_nonnull));
OV_API char *ov_memdup(const void *bytes, size_t len) /* adds a NUL */
    __attribute__((malloc, returns_nonnull));

/* Bytes owned by somebody else. Names of topics, agents and keys are bytes: any value, NUL too. */
struct ov_slice {
    const char *ptr;
    size_t len;
};
#define OV_SLICE(literal) ((struct ov_slice){(literal), sizeof(literal) - 1})

static inline struct ov_slice ov_slice(const char *text)
{
    return (struct ov_slice){text, text ? strlen(text) : 0};
}
static inline bool ov_slice_eq(struct ov_slice a, struct ov_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
static inline bool ov_slice_starts(struct ov_slice s, struct ov_slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}
/* True where `pattern` matches all of `text`: `*`, `?`, `[a-z]`, `[!a]`, `\` takes the next byte
 * as it is. Linear in the product of the lengths, whatever the pattern. */
OV_API bool ov_glob(struct ov_slice pattern, struct ov_slice text);

/* A growing buffer. Start with {0} (or ov_buf_reset to use it again), end with ov_buf_free. */
struct ov_buf {
    char *data; /* NULL until something was added; not NUL-terminated, see ov_buf_text */
    size_t len, cap;
};
OV_API void ov_buf_grow(struct ov_buf *buf, size_t more); /* room for `more` bytes beyond len */
OV_API void ov_buf_printf(struct ov_buf *buf, const char *format, ...) OV_PRINTF(2, 3);
OV_API void ov_buf_vprintf(struct ov_buf *buf, const char *format, va_list args) OV_PRINTF(2, 0);
/* Shortest decimal text that reads back as the same double, in the C locale. Finite values only. */
OV_API void ov_buf_double(struct ov_buf *buf, double value);
OV_API void ov_buf_int(struct ov_buf *buf, int64_t value);
/* Appends text for a person: control bytes and invalid UTF-8 as \n, \t or \xNN. */
OV_API void ov_buf_escaped(struct ov_buf *buf, struct ov_slice bytes);
/* Appends a JSON string with its quotes: control bytes escaped, invalid UTF-8 as U+FFFD. */
OV_API void ov_buf_json(struct ov_buf *buf, struct ov_slice bytes);
/* The buffer as a C string; valid until it changes. */
OV_API const char *ov_buf_text(struct ov_buf *buf);
OV_API void ov_buf_free(struct ov_buf *buf);

static inline void ov_buf_reset(struct ov_buf *buf)
{
    buf->len = 0;
}
static inline void ov_buf_add(struct ov_buf *buf, const void *bytes, size_t len)
{
    if (buf->cap - buf->len < len)
        ov_buf_grow(buf, len);
    if (len)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
}
static inline void ov_buf_char(struct ov_buf *buf, char c)
{
    if (buf->len == buf->cap)
        ov_buf_grow(buf, 1);
    buf->data[buf->len++] = c;
}
static inline void ov_buf_slice(struct ov_buf *buf, struct ov_slice s)
{
    ov_buf_add(buf, s.ptr, s.len);
}
static inline void ov_buf_str(struct ov_buf *buf, const char *text)
{
    ov_buf_add(buf, text, strlen(text));
}

/* ---------------------------------------------------------------- time */

OV_API int64_t ov_clock_ms(void); /* monotonic, for deadlines and durations */
OV_API int64_t ov_clock_ns(void); /* monotonic */
OV_API int64_t ov_wall_ns(void);  /* since 1970, for the stamps of samples */

/* ---------------------------------------------------------------- measurements and samples */

enum ov_type {
    OV_INT,   /* int64_t */
    OV_FLOAT, /* double; NaN and infinities count as "no value" */
    OV_BOOL,
    OV_TEXT,  /* bytes */
};
enum ov_kind {
    OV_GAUGE,   /* goes up and down */
    OV_COUNTER, /* only grows while its source lives; consumers look at differences */
};

/* A field has one type and one unit for ever: databases refuse a second one. */
struct ov_field {
    const char *name; /* snake_case, with its unit: `age_seconds`, `memory_bytes` */
    enum ov_type type;
    enum ov_kind kind;
    const char *unit; /* "seconds", "bytes", "ratio", "" for counts and texts */
    const char *help; /* one sentence */
};

#define OV_MAX_FIELDS 64

struct ov_measurement {
    const char *name; /* `omnidaemon_group` */
    const char *help;
    const char *const *tags; /* tag_count names */
    const struct ov_field *fields;
    uint16_t tag_count, field_count; /* field_count <= OV_MAX_FIELDS */
};

union ov_value {
    int64_t integer;
    double number;
    bool boolean;
    const struct ov_slice *text; /* in the batch's memory */
};

/* One row of a measurement. Absent is absent: a field without a value has its bit in `present`
 * clear, a tag without a value is an empty slice. Lives as long as its batch. */
struct ov_sample {
    const struct ov_sample *next;
    const struct ov_measurement *measurement;
    int64_t time_ns;         /* wall clock */
    uint64_t present;        /* bit i: values[i] holds a value */
    struct ov_slice *tags;   /* measurement->tag_count of them */
    union ov_value *values;  /* measurement->field_count of them */
};

struct ov_tag {
    const char *name;
    struct ov_slice value;
};

/* The samples of one gather with the memory they live in. */
struct ov_batch;

/* Adds a row; the result is filled in with ov_sample_* and belongs to the batch. */
OV_API struct ov_sample *ov_batch_add(struct ov_batch *batch, const struct ov_measurement *m)
    __attribute__((returns_nonnull));
OV_API const struct ov_sample *ov_batch_first(const struct ov_batch *batch); /* then ->next */
OV_API size_t ov_batch_count(const struct ov_batch *batch);
/* The tags that hold for all samples of the batch (from the configuration), `*count` of them. */
OV_API const struct ov_tag *ov_batch_tags(const struct ov_batch *batch, size_t *count);
OV_API struct ov_slice ov_batch_copy(struct ov_batch *batch, struct ov_slice bytes);

/* What a gather could not read of a measurement: a right is missing, a server is away. Alerts about
 * it stay as they are, and a check that needs it is not fine. */
struct ov_unread {
    const struct ov_unread *next;
    const struct ov_measurement *measurement;
    uint64_t fields; /* bit i: field i, where it is absent; 0: samples may be missing as a whole */
    const struct ov_slice *tags; /* of the samples, as in a sample; one without value: of any */
    struct ov_slice why; /* what is wrong, and what would help */
    bool untold;         /* by ov_batch_untold */
};
/* Notes that; `tags` NULL: of all samples. Bytes are copied; the same is noted once. */
OV_API void ov_batch_unread(struct ov_batch *batch, const struct ov_measurement *m, uint64_t fields,
                            const struct ov_slice *tags, struct ov_slice why);
/* As that, where nothing is wrong but one look cannot know: a check that names the rule is told. */
OV_API void ov_batch_untold(struct ov_batch *batch, const struct ov_measurement *m, uint64_t fields,
                            const struct ov_slice *tags, struct ov_slice why);
OV_API const struct ov_unread *ov_batch_first_unread(const struct ov_batch *batch); /* ->next */

/* Tag and field numbers are positions in the measurement's tables. Bytes are copied. */
OV_API void ov_sample_tag(struct ov_batch *batch, struct ov_sample *s, unsigned tag,
                          struct ov_slice value);
OV_API void ov_sample_text(struct ov_batch *batch, struct ov_sample *s, unsigned field,
                           struct ov_slice value);
static inline void ov_sample_int(struct ov_sample *s, unsigned field, int64_t value)
{
    s->values[field].integer = value;
    s->present |= UINT64_C(1) << field;
}
static inline void ov_sample_bool(struct ov_sample *s, unsigned field, bool value)
{
    s->values[field].boolean = value;
    s->present |= UINT64_C(1) << field;
}
OV_API void ov_sample_float(struct ov_sample *s, unsigned field, double value); /* if finite */

/* ---------------------------------------------------------------- rules */

/* An alert rule an input recommends; the configuration can change each member by its key, given
 * here in quotes where it is not the member's name, or switch the rule off. NULL: not said. */
struct ov_rule {
    const char *name;
    const char *value;      /* "measurement.field", or "increase(measurement.field, 5m)" */
    const char *where;      /* "name=glob|glob, name=glob": tags and fields that must match; an
                             * empty glob stands for one that is absent */
    const char *unless;     /* "measurement.name=glob": muted while a sample matches that, whose
                             * tags and whose input's do not contradict */
    const char *warning, *critical; /* Nagios ranges; without either the conditions alone alarm */
    const char *severity;   /* then: "warning" or "critical" (that by default) */
    const char *clear;      /* a range that must be left before a firing alert ends */
    const char *hold;       /* "for": how long it must hold before it fires */
    const char *clear_hold; /* "clear_for": how long it must be over; as `for` by default */
    const char *repeat;     /* how often a firing alert is told again; never by default */
    const char *gone_hold;  /* "gone_for": how long what it fires for may be missing, from gathers
                             * that could read everything, before it ends; 5m by default */
    const char *summary;    /* one line; {name} of a tag or field, {value}, {threshold},
                             * {severity} are replaced */
    const char *description; /* what it means and what to do */
};

/* ---------------------------------------------------------------- options */

enum ov_option_type {
    OV_OPT_STRING,   /* char *, NULL when unset; owned by the core */
    OV_OPT_INT,      /* int64_t */
    OV_OPT_BOOL,     /* bool: true, false */
    OV_OPT_DURATION, /* int64_t milliseconds: 500ms, 10s, 5m, 1h, 7d */
    OV_OPT_SIZE,     /* int64_t bytes: 512, 64KiB, 10MB, 2GiB */
    OV_OPT_RATIO,    /* double from 0 to 1: 0.8 or 80% */
    OV_OPT_ENUM,     /* int: the position in `choices` */
    OV_OPT_LIST,     /* struct ov_list of texts */
    OV_OPT_MAP,      /* struct ov_map of text to text, in the order written */
    OV_OPT_TABLE,    /* a struct of its own: `table` describes it, its offsets start at `offset` */
};

struct ov_list {
    struct ov_slice *items;
    size_t count;
};
struct ov_map {
    struct ov_tag *items;
    size_t count;
};

/* One row of an option table; a table ends with a row whose name is NULL. The value comes from
 * the configuration, else from the environment variable `env` (process, then the `.env` file),
 * else from `fallback`, written as it would be in the configuration. A secret NAME may also be
 * given as NAME_file, whose content (less one final newline) is taken, and is never printed. */
struct ov_option {
    const char *name;
    enum ov_option_type type;
    size_t offset;
    const char *fallback;
    const char *env;
    int64_t min, max;             /* INT, DURATION (ms), SIZE: both 0 means no limits */
    const char *const *choices;   /* ENUM: NULL-terminated */
    const struct ov_option *table; /* TABLE */
    bool secret;
    bool required;
    const char *help;
};

/* ---------------------------------------------------------------- what the core offers */

struct ov_host; /* one instance's line to the core */
enum ov_level { OV_ERROR, OV_WARN, OV_INFO, OV_DEBUG };

OV_API const char *ov_host_name(const struct ov_host *host);
/* Logs one line; the instance's name is put before it, control bytes are escaped. */
OV_API void ov_log(struct ov_host *host, enum ov_level level, const char *format, ...)
    OV_PRINTF(3, 4);
/* Reports a fault that may repeat. `cause` names it (a short constant such as "noperm xpending").
 * The first report is logged at once, repeats are counted and summed up once a minute. */
OV_API void ov_problem(struct ov_host *host, const char *cause, const char *format, ...)
    OV_PRINTF(3, 4);
/* Says that the fault is over: logged once with how long it lasted, free if there was none. */
OV_API void ov_recovered(struct ov_host *host, const char *cause);
/* Sets the text that explains a failure and returns OV_FAILED: `return ov_fail(host, "...")`. */
OV_API int ov_fail(struct ov_host *host, const char *format, ...) OV_PRINTF(2, 3);
/* A descriptor that becomes readable when this instance is to stop (the agent ends, or the command:
 * ov_call_stop); poll it next to your own, never read it. -1 where nothing will ask. */
OV_API int ov_host_stop_fd(const struct ov_host *host);
OV_API bool ov_host_stopping(const struct ov_host *host);
/* When the work under way must be done, on ov_clock_ms: a gather's own limit, or a send's. */
OV_API int64_t ov_host_deadline(const struct ov_host *host);
/* True for the agent, which gathers again and again; false for a command that does so once. */
OV_API bool ov_host_repeats(const struct ov_host *host);
/* Whether somebody looks at that field: always for the agent. What is dear to know need not be
 * found out for nobody. */
OV_API bool ov_host_wants(const struct ov_host *host, const struct ov_measurement *m,
                          unsigned field);
/* Loads a module that belongs to a plugin (such as `redis_tls`) from the plugin's own directory
 * and returns the address of `symbol` in it, or NULL with the reason in ov_fail's text. */
OV_API void *ov_host_module(struct ov_host *host, const char *name, const char *symbol);

/* Finds the addresses of a name, waiting no longer than allowed, which getaddrinfo cannot. */
struct ov_lookup;
struct addrinfo;
struct ov_lookup_name {
    const char *host; /* or a numeric address, without brackets */
    const char *port; /* a number */
    int socket_type;  /* SOCK_STREAM, SOCK_DGRAM */
};
/* OV_OK with *found, for freeaddrinfo; OV_STOPPED; or OV_FAILED with *why, a constant text.
 * `*pending` is NULL at first. A lookup without an answer by `deadline_ms` (ov_clock_ms) is left
 * there, and the next call takes up its answer, so that a resolver which hangs costs one thread
 * and not one each time. */
OV_API int ov_lookup(struct ov_lookup **pending, const struct ov_host *host,
                     const struct ov_lookup_name *name, int64_t deadline_ms,
                     struct addrinfo **found, const char **why) OV_MUST_CHECK;
OV_API void ov_lookup_drop(struct ov_lookup *lookup); /* also under way; NULL is fine */

/* The configuration of an instance under check: reports an error, or a warning, at the place where
 * option `name` stands (`tls.ca` for one in a table), in the same run with all others. */
struct ov_check;
OV_API void ov_check_error(struct ov_check *check, const char *name, const char *format, ...)
    OV_PRINTF(3, 4);
OV_API void ov_check_warn(struct ov_check *check, const char *name, const char *format, ...)
    OV_PRINTF(3, 4);

/* Where encode puts what it made: one record is bytes that can be sent on their own, made from
 * `samples` samples. Bytes are copied. */
struct ov_emit;
OV_API void ov_emit(struct ov_emit *emit, const void *bytes, size_t len, size_t samples);
/* Counts samples that cannot be written in this format at all (no field left, too long). */
OV_API void ov_emit_unfit(struct ov_emit *emit, size_t samples, const char *why);

/* What became of bytes handed to send. */
enum ov_sent {
    OV_SENT,     /* delivered: forget them */
    OV_RETRY,    /* not now; the same bytes will come again, not before `retry_ms` from now */
    OV_REJECTED, /* never: drop and count them */
    OV_SUPERSEDED, /* not sent: what waits behind them says it better; drop and count them apart */
};
struct ov_outcome {
    int64_t retry_ms; /* OV_RETRY: 0 leaves the wait to the core's backoff; an hour at most */
    uint64_t rejected; /* OV_SENT: how many of the samples the receiver refused */
};

/* ---------------------------------------------------------------- commands */

/* The exit status of a command. */
enum ov_exit {
    OV_EXIT_FINE = 0,
    OV_EXIT_PROBLEM = 1, /* it looked, and something is wrong */
    OV_EXIT_USAGE = 2,
    OV_EXIT_UNABLE = 3,  /* it could not look */
};

struct ov_flag {
    const char *name;  /* without the dashes */
    char letter;       /* 0: none */
    const char *value; /* what it takes, for the help: "FILE"; NULL: nothing; "[SECONDS]": a number
                        * that may be left out */
    const char *help;
    const char *const *choices; /* NULL-terminated, or NULL */
};

/* How many flags a command may have, those that all commands have included. */
#define OV_FLAGS_MAX 24

/* One run of a command. */
struct ov_call;

/* What an input adds to the command line. The core finds it, reads its arguments, opens its
 * instance, adds what all such commands take (--format, --watch, --help), and prints. */
struct ov_command {
    const char *name;  /* its words: "bus groups" */
    const char *takes; /* other words, for the help: "[TOPIC]" */
    int words_min, words_max;
    const char *summary; /* one line, without a full stop */
    const char *more;    /* lines for --help that end with a newline, or NULL */
    const char *example;
    const struct ov_flag *flags; /* its own; ends with a NULL name; NULL for none */
    /* `state` is the instance's, open. Returns an enum ov_exit. */
    int (*run)(void *state, struct ov_call *call);
    bool once; /* it changes something or has its own way to go on: without --watch */
    /* Says what is wrong with the arguments in its own way and returns the exit status; or NULL. */
    int (*refuse)(struct ov_buf *error);
    /* What it shows: patterns of "measurement.field", up to a NULL. Inputs that measure such gather
     * at the same time, and what else is dear is not found out (see ov_host_wants). NULL: any. */
    const char *const *figures;
};

/* What was given for the flag at `position` of the command's own table: NULL if it was not, "" for
 * one that takes nothing. The last one counts; ov_call_count tells how often it was given. */
OV_API const char *ov_call_flag(const struct ov_call *call, unsigned position);
OV_API int ov_call_count(const struct ov_call *call, unsigned position);
/* The words after the command's name; NULL beyond the last. */
OV_API const char *ov_call_word(const struct ov_call *call, int index);
OV_API int ov_call_word_count(const struct ov_call *call);
/* Whether --topic and --agent let this pass. A NULL pointer: it has none, and passes that one. */
OV_API bool ov_call_wants(const struct ov_call *call, const struct ov_slice *topic,
                          const struct ov_slice *agent);

/* Gathers with the input of `plugin` that looks at the command's own target (the one with equal
 * tags where there are several), once a run; what else its figures need is gathered along. Never
 * NULL; the call owns it. `*why` (may be NULL): NULL, or the reason of a failure; what was gathered
 * all the same is in the batch. */
OV_API const struct ov_batch *ov_call_gather(struct ov_call *call, const char *plugin,
                                             const char **why);
/* The state of that input, open; NULL with the reason in *why where there is none. */
OV_API void *ov_call_state(struct ov_call *call, const char *plugin, const char **why);
/* Forgets what was gathered: the next ov_call_gather looks anew. For commands that go on. */
OV_API void ov_call_refresh(struct ov_call *call);

/* A rule that alarms over what was gathered so far, as `omnivigil check` would say. */
struct ov_finding {
    const char *rule;
    bool critical;          /* else a warning */
    double silenced;        /* until when, in Unix seconds; INFINITY: for ever; 0: it is not */
    const struct ov_sample *sample; /* what it is about */
    double value;           /* NaN where the rule looks at texts */
    const char *summary;    /* one line */
    const char *description; /* what it means and what to do; "" where the rule has none */
};
/* Those of all rules that --topic and --agent let pass, the worst first; or the silenced ones. They
 * live until something more is gathered, or ov_call_refresh. Asked again it costs nothing. */
OV_API const struct ov_finding *ov_call_findings(struct ov_call *call, size_t *count);
OV_API const struct ov_finding *ov_call_silenced(struct ov_call *call, size_t *count);
/* What an agent with this configuration holds as firing, as it saved it at `*saved` (Unix seconds):
 * samples of omnivigil_firing, of all topics and agents; NULL where none did. Lives until
 * ov_call_refresh. Appends to `unjudged` the names of rules that one look cannot judge. */
OV_API const struct ov_batch *ov_call_held(struct ov_call *call, double *saved,
                                           struct ov_buf *unjudged);
/* Runs another command that an input brings, one that looks and does not go on, as a part of this
 * run and with what was gathered for it: `argv` as after the program's name ("agent", "get", TOPIC,
 * NAME), in another order afterwards. What it shows and says is appended to `out` for persons,
 * `width` columns wide; in `colours` by ESC[...m, no other sequences. Returns its enum ov_exit. */
OV_API int ov_call_other(struct ov_call *call, int argc, char **argv, unsigned width, bool colours,
                         struct ov_buf *out);
/* Makes the call's open inputs (see ov_call_state) end what they do, with OV_STOPPED, for good. The
 * only function for another thread than the call's own, which must not open any meanwhile. */
OV_API void ov_call_stop(struct ov_call *call);
OV_API struct ov_host *ov_call_host(struct ov_call *call); /* the instance's */
/* The options by which another command looks at the same OmniDaemon as this one, ready for a shell:
 * "--config /etc/x.yaml --input main"; "" where none are needed. Lives as long as the call. */
OV_API const char *ov_call_again(struct ov_call *call);
/* Whether what is shown is for persons: the format is `table`. */
OV_API bool ov_call_is_for_persons(const struct ov_call *call);
/* Whether a person looks on: what is shown is for persons, and standard output a terminal. */
OV_API bool ov_call_is_watched(const struct ov_call *call);
/* Asks the person at the terminal; true for yes. For no it says that nothing was changed, without a
 * terminal which flag (with its dashes) would do. */
OV_API bool ov_call_confirm(struct ov_call *call, const char *flag, const char *format, ...)
    OV_PRINTF(3, 4);
/* Shows how far a long work has come, on standard error where that is a terminal. `total` 0: not
 * known. The last one is `done` = `total`, which ends the line. */
OV_API void ov_call_progress(struct ov_call *call, const char *what, int64_t done, int64_t total);
/* Says on standard error why it cannot go on: `return ov_call_unable(call, "...")`. */
OV_API int ov_call_usage(struct ov_call *call, const char *format, ...) OV_PRINTF(2, 3);
OV_API int ov_call_unable(struct ov_call *call, const char *format, ...) OV_PRINTF(2, 3);

/* What commands print is views: tables of typed cells, which the core writes as the user asked:
 * a table that fits the terminal, one JSON object with a member for each view, or CSV. */
enum ov_cell {
    OV_CELL_TEXT,    /* bytes; escaped for persons, U+FFFD for invalid UTF-8 in JSON */
    OV_CELL_INT,
    OV_CELL_FLOAT,
    OV_CELL_BOOL,
    OV_CELL_SECONDS, /* a duration: 3m12s; elsewhere the number */
    OV_CELL_BYTES,   /* 12.4 MiB; elsewhere the number */
    OV_CELL_RATIO,   /* 0.975 as 97.5 %; elsewhere the number */
    OV_CELL_TIME,    /* seconds since 1970: local time; elsewhere RFC 3339 in UTC */
    OV_CELL_JSON,    /* text that is valid JSON: indented for persons; in JSON as it is */
    OV_CELL_LINE,    /* text that is never broken or cut: a command to be pasted */
};
enum ov_shape {
    OV_SHAPE_LIST,  /* a row a line */
    OV_SHAPE_TREE,  /* likewise, below a heading for each value of the first column */
    OV_SHAPE_CARDS, /* a row is a block of lines "name  value", its first column the heading */
};
struct ov_column {
    const char *name; /* snake_case: the key in JSON and CSV, and the heading */
    enum ov_cell type;
    const char *title; /* the heading for persons, in place of the name; or NULL */
    int rank; /* 0: always there; else the highest is left out first where it is narrow */
};
struct ov_view {
    const char *name; /* its key in JSON */
    enum ov_shape shape;
    bool single;      /* has one row: an object in JSON, not an array of them */
    const char *title; /* a line above it for persons, or NULL */
    const struct ov_column *columns;
    unsigned column_count;
    const char *empty; /* what persons read where it has no row: "no dead letters"; or NULL */
};
enum ov_mark { OV_MARK_NONE, OV_MARK_GOOD, OV_MARK_WARN, OV_MARK_BAD, OV_MARK_DIM };

/* Begins a view; the one before ends. Rows and cells go to the last view; an absent cell is `-` for
 * persons, null, or nothing. Bytes are copied. */
OV_API void ov_show(struct ov_call *call, const struct ov_view *view);
OV_API void ov_show_row(struct ov_call *call);
OV_API void ov_show_text(struct ov_call *call, unsigned column, struct ov_slice value);
OV_API void ov_show_int(struct ov_call *call, unsigned column, int64_t value);
/* FLOAT, SECONDS, BYTES, RATIO, TIME; NaN and infinities are absent. */
OV_API void ov_show_float(struct ov_call *call, unsigned column, double value);
OV_API void ov_show_bool(struct ov_call *call, unsigned column, bool value);
/* Colours the cell of the last row, where there are colours. */
OV_API void ov_show_mark(struct ov_call *call, unsigned column, enum ov_mark mark);
/* A line below the view: "20 of 310 shown; --limit shows more". In JSON a text in `notes`. */
OV_API void ov_show_note(struct ov_call *call, const char *format, ...) OV_PRINTF(2, 3);
/* Writes out what was shown so far, for commands that go on; the view begins anew, without its
 * heading. In JSON each such part is an object on a line of its own. */
OV_API void ov_show_flush(struct ov_call *call);

/* ---------------------------------------------------------------- the plugin itself */

enum ov_plugin_kind { OV_INPUT, OV_OUTPUT };

struct ov_plugin {
    uint32_t abi;  /* OV_ABI: the first thing the core looks at */
    uint32_t size; /* sizeof(struct ov_plugin) */
    const char *name;    /* as in the configuration, and as the file is called */
    const char *summary; /* one line */
    enum ov_plugin_kind kind;
    size_t state_size;                /* of an instance's state, which begins as zeros */
    const struct ov_option *options;  /* offsets into that state */
    const struct ov_measurement *const *measurements; /* inputs: NULL-terminated */
    const struct ov_rule *rules; /* inputs: recommended ones; ends with a NULL name. Optional. */
    const struct ov_command *const *commands; /* inputs: NULL-terminated. Optional. */

    /* Checks what the option table cannot (a URL's form), without network or writes. Options that
     * could not be read have their fallback; texts that are required are there. Optional. */
    void (*check)(void *state, struct ov_check *check);
    /* Prepares an instance. A dead server is no failure here: it is met at gather or send. */
    int (*open)(void *state, struct ov_host *host);
    void (*close)(void *state); /* also after a failed open; NULL-safe to the last member */

    /* Inputs. A failed gather may still have filled in samples (such as `up` = false): they are
     * forwarded; it returns ov_fail(...) and is counted. */
    int (*gather)(void *state, struct ov_batch *batch);
    /* What must survive a restart, as text; called after the samples were handed on. Optional. */
    void (*save)(void *state, struct ov_buf *out);
    /* What save wrote, in this or an earlier version; unreadable text is ov_fail. Optional. */
    int (*load)(void *state, struct ov_slice saved);
    /* Work no sample waits for, a little at a time, after each gather. Optional. */
    void (*idle)(void *state);

    /* Outputs. */
    bool precious; /* each record matters: unless configured otherwise they are on disk first */
    void (*encode)(void *state, const struct ov_batch *batch, struct ov_emit *emit);
    enum ov_sent (*send)(void *state, struct ov_slice bytes, struct ov_outcome *outcome);
    /* For formats whose records may follow one another in one send, such as lines: how many samples
     * and bytes one send may hold; a larger record is sent alone, as are those of a rejected send
     * when they come again. Called before each send. Optional: without it all are sent alone. */
    void (*join)(const void *state, size_t *samples, size_t *bytes);
};

#ifndef OV_PLUGIN_SYMBOL
#define OV_PLUGIN_SYMBOL omnivigil_plugin
#endif
/* `OV_PLUGIN = { OV_PLUGIN_HEAD, .name = "mine", ... };` */
#define OV_PLUGIN                                                                                  \
    extern OV_API const struct ov_plugin OV_PLUGIN_SYMBOL;                                         \
    const struct ov_plugin OV_PLUGIN_SYMBOL
#define OV_PLUGIN_HEAD .abi = OV_ABI, .size = sizeof(struct ov_plugin)

#ifdef __cplusplus
}
#endif
#endif
