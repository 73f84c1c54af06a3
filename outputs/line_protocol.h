/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples as InfluxDB line protocol, one sample a line, whatever bytes its names hold:
 *
 *     measurement,tag=value,tag=value count=1i,ratio=0.5,up=true,why="text" 1764000000000000000
 *
 * Integers end in `i`, floats never do, both read back exactly. Where the format cannot hold a
 * byte, another stands for it, so that no name adds a line, a tag or a field:
 *
 *     control bytes          their Unicode picture (newline ␊, NUL ␀)
 *     invalid UTF-8          U+FFFD for each byte
 *     \ at the end of a name or before `,` `=` or a space in it, where it would undo the
 *     escaping               U+FF3C (＼)
 *     # at the begin of a measurement, where it makes a comment of the line: U+FF03 (＃)
 *
 * A tag or field called `time`, `_field` or `_measurement`, names that InfluxDB has for itself and
 * refuses or mixes up, has a `_` after it.
 *
 * Any other backslash in a name stays; InfluxDB reads it as it is, though some other servers read
 * two in a row as one. Texts are cut at LINE_TEXT_MAX bytes, between characters.
 */
#ifndef LINE_PROTOCOL_H
#define LINE_PROTOCOL_H

#include "omnivigil.h"

#define LINE_TEXT_MAX 65536
/* InfluxDB refuses a series whose measurement, tags and field name pass 65535 bytes. */
#define LINE_KEY_MAX 65000

/* Appends one line with its newline and returns NULL, or appends nothing and returns why the
 * sample cannot be written: no field with a value, or a key above LINE_KEY_MAX. `tags` are the
 * batch's; the sample's own tags win over them. */
const char *line_write(struct ov_buf *buf, const struct ov_sample *sample,
                       const struct ov_tag *tags, size_t tag_count);

#endif
