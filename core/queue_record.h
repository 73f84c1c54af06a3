/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How one record lies in the log on disk: a head of 64 bytes of text, the bytes as they go on the
 * wire, and a newline.
 *
 *     #ov1 wait 0000000152 0000000002 1764038400123 5d3ac91e 09b1f2c4\n
 *     |    |    |          |          |             |        ` checksum of the head
 *     |    |    |          |          |             ` checksum of the bytes
 *     |    |    |          |          ` when it was pushed, milliseconds since 1970
 *     |    |    |          ` samples in it
 *     |    |    ` how many bytes follow, the last newline not counted
 *     |    ` `wait`, or `done`: this record and all before it are delivered or dropped
 *     ` what resuming behind damage looks for
 *
 * The word `wait` is the only part that is ever written over. It is not under the checksum, and no
 * single wrong byte turns it into the other. A line that begins with # is a comment in line
 * protocol, so a whole file of that may be posted to InfluxDB by hand.
 *
 * Checksums start from a seed that differs from file to file: text from outside, stored as part
 * of a record, cannot pretend to be one. They tell damage, not malice.
 */
#ifndef OV_QUEUE_RECORD_H
#define OV_QUEUE_RECORD_H

#include "omnivigil.h"

enum {
    OV_QUEUE_HEAD_LEN = 64,
    OV_QUEUE_MARK_AT = 5, /* where the word stands in the head */
    OV_QUEUE_MARK_LEN = 4,
    OV_QUEUE_EXTRA_LEN = OV_QUEUE_HEAD_LEN + 1, /* what a record takes besides its bytes */
};
#define OV_QUEUE_MAGIC "#ov1 "
#define OV_QUEUE_DONE "done"
#define OV_QUEUE_RECORD_MAX ((size_t)1 << 30) /* bytes of one record */

struct ov_queue_head {
    bool done;
    size_t len, samples;
    int64_t time_ms;
    uint32_t checksum; /* of the bytes */
};

uint32_t ov_queue_record_checksum(uint32_t seed, struct ov_slice bytes);
/* Writes the head of a record that waits. `head->checksum` and `head->done` are not read. */
void ov_queue_record_write(char out[OV_QUEUE_HEAD_LEN], uint32_t seed,
                           const struct ov_queue_head *head, struct ov_slice bytes);
/* False unless `in` is a head, whole and of this seed, of no more than OV_QUEUE_RECORD_MAX. */
bool ov_queue_record_read(const char in[OV_QUEUE_HEAD_LEN], uint32_t seed,
                          struct ov_queue_head *head);

#endif
