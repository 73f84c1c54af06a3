/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One look of `top`: four tables of figures, made from samples, and what stands above them. It
 * holds all it needs, so that it can be handed from the thread that looks to the one that draws.
 */
#ifndef TOP_LOOK_H
#define TOP_LOOK_H

#include "top_rates.h"

enum top_table { TOP_TABLE_AGENTS, TOP_TABLE_GROUPS, TOP_TABLE_DLQS, TOP_TABLE_ALERTS, TOP_TABLES };

enum top_type {
    TOP_TYPE_TEXT,
    TOP_TYPE_COUNT,
    TOP_TYPE_LEAST, /* a count; negative: at least so many */
    TOP_TYPE_RATE,  /* a second */
    TOP_TYPE_SECONDS,
    TOP_TYPE_RATIO,
    TOP_TYPE_TREND, /* the row's line */
};

enum { TOP_COLUMNS_MAX = 16 };
enum { TOP_ALERT_SUMMARY = 3 }; /* the last column of the alerts */
struct top_column {
    const char *title;
    enum top_type type;
    unsigned width; /* columns of the screen; of a text, at least these if it has so many */
    unsigned rank;  /* 0: always there; else the highest is left out first */
};
struct top_layout {
    const char *name;  /* "Agents" */
    const char *empty; /* what it says where there is none */
    const struct top_column *columns;
    unsigned count;
    unsigned sort;     /* at first */
};
extern const struct top_layout top_layouts[TOP_TABLES];

struct top_text {
    uint32_t at, len; /* in the look's bytes */
};
union top_cell {
    double number;        /* NaN: none */
    struct top_text text; /* len 0: none */
};
struct top_row {
    struct top_text topic, agent, group; /* what it is about */
    struct top_text key; /* tells it from all others of its table, in every look */
    struct top_text more; /* of an alert: what it means and what to do */
    union top_cell cells[TOP_COLUMNS_MAX];
    uint8_t marks[TOP_COLUMNS_MAX]; /* enum ov_mark */
    struct top_line line;
};

struct top_rows {
    struct top_row *rows;
    size_t count, cap;
    unsigned widths[TOP_COLUMNS_MAX]; /* of the widest text in the column */
};

/* What stands above the tables; texts may be empty, numbers NaN. */
struct top_head {
    struct top_text status, reason, runner, version;
    int64_t status_code;
    double uptime, latency, memory, waiting, pending, dead, published, processed, failed;
    size_t critical, warnings;
    struct top_text worst;
};

struct top_look {
    bool whole;     /* Redis could be read; else there are no tables */
    int64_t at_ms, took_ms; /* ov_clock_ms when Redis was read, and how long all took */
    struct top_text why; /* of what could not be read; empty: all could */
    struct top_head head;
    struct top_rows tables[TOP_TABLES];
    struct ov_buf bytes;
};

static inline struct ov_slice top_text(const struct top_look *look, struct top_text text)
{
    return (struct ov_slice){look->bytes.data + text.at, text.len};
}

/* What a look is made of. */
struct top_found {
    const struct ov_call *call;        /* its --topic and --agent count; NULL: all is shown */
    const struct ov_batch *agents, *bus;
    int64_t agents_ns, bus_ns;         /* ov_clock_ns, when they were read */
    int64_t took_ms;
    const struct ov_finding *findings; /* the worst first */
    size_t finding_count;
    const char *why;                   /* of what could not be read, or NULL */
};
struct top_look *top_look_new(const struct top_found *found, struct top_rates *rates);
void top_look_free(struct top_look *look);

#endif
