/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Performance data in the strict grammar of Nagios and Icinga:
 *
 *     'label'=value[unit];[warning];[critical]
 *
 * separated by single blanks. Labels are quoted, unique, and hold no `=`, `|` or control bytes;
 * numbers have a decimal point and no exponent in every locale; an unknown value is `U`.
 */
#ifndef OV_PERFDATA_H
#define OV_PERFDATA_H

#include "omnivigil.h"

struct ov_perfdata {
    struct ov_buf text;
    size_t count;
    char **labels; /* those used, to keep them unique */
};

/* `unit` is a field's ("seconds", "bytes", ...), ranges may be NULL, NaN is unknown. */
void ov_perfdata_add(struct ov_perfdata *perfdata, struct ov_slice label, double value,
                     const char *unit, const char *warning, const char *critical);
void ov_perfdata_free(struct ov_perfdata *perfdata);

/* Appends a number as performance data has it: "12", "0.25", never "1e3". */
void ov_perfdata_number(struct ov_buf *out, double value);

#endif
