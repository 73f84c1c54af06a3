/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between the ways to write to InfluxDB: where a request goes, how it logs in, what
 * a person has to create.
 *
 *     1    POST /write?db=DATABASE&rp=POLICY&precision=ns         Basic, or `Token`
 *     2    POST /api/v2/write?org=ORG&bucket=BUCKET&precision=ns  `Token`, or Basic
 *     3    POST /api/v3/write_lp?db=DATABASE&precision=nanosecond `Bearer`
 *     UDP  lines alone: the server's own configuration says where they go
 */
#ifndef INFLUX_API_H
#define INFLUX_API_H

#include "datagram.h"
#include "omnivigil.h"
#include "post.h"
#include "url.h"

enum influx_precision { INFLUX_NS, INFLUX_US, INFLUX_MS, INFLUX_S };

struct influx_options {
    char *url, *database, *retention_policy, *organization, *bucket, *user, *password, *token;
    int version;   /* 0: auto */
    int precision; /* enum influx_precision */
    int64_t batch, give_up_ms;
    bool create_database, gzip;
    struct post_tls tls;
    struct influx_udp {
        int64_t datagram;   /* bytes */
        int64_t per_second; /* datagrams */
    } udp;
};
/* The rows of the table `udp`. */
extern const struct ov_option influx_udp_options[];

/* 1, 2 or 3. */
int influx_version(const struct influx_options *options);
bool influx_is_udp(const struct influx_options *options);
/* Reports options that do not go together. */
void influx_options_check(const struct influx_options *options, struct ov_check *check);

/* The way to where samples are written, gzipped if the options say so: NULL with ov_fail's text if
 * there is none. *place, NULL or from before, becomes what a person reads of it, and belongs to
 * the caller. */
struct post *influx_post_new(struct ov_host *host, const struct influx_options *options,
                             char **place);
/* The same over UDP: fills in what the options say. OV_FAILED with ov_fail's text. */
int influx_udp_set(struct ov_host *host, const struct influx_options *options, struct peer *peer,
                   struct datagrams *datagrams) OV_MUST_CHECK;
/* Creates the database of a version 1. False, with the reason appended to `why`, if it cannot. */
bool influx_create_database(struct ov_host *host, const struct influx_options *options,
                            struct ov_buf *why);
/* Appends what a person can do about a database or bucket that the server does not have. */
void influx_advise_creation(const struct influx_options *options, struct ov_buf *out);

#endif
