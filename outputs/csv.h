/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples as CSV (RFC 4180, but lines end in a newline alone), a line for each field, so that all
 * measurements fit one table and every tool reads it without being told more:
 *
 *     time,measurement,tags,field,value
 *     2026-11-25T12:00:00.000000000Z,omnidaemon_group,"{""topic"":""orders""}",pending,5
 *
 * Tags are one JSON object, `{}` for none. Numbers read back exactly, booleans are true and false.
 * Texts may hold line breaks, within their quotes; other control bytes become their Unicode
 * picture, invalid UTF-8 U+FFFD.
 */
#ifndef CSV_H
#define CSV_H

#include "omnivigil.h"

#define CSV_HEADER "time,measurement,tags,field,value\n"

/* Appends the lines of a sample and returns NULL, or appends nothing and returns why it cannot be
 * written: no field with a value. `tags` are the batch's; the sample's own tags win over them. */
const char *csv_write(struct ov_buf *buf, const struct ov_sample *sample,
                      const struct ov_tag *tags, size_t tag_count);

#endif
