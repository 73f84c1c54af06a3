/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of the bus share: the figures they show, topics by name, and how to say that
 * Redis does not answer. Functions that return int return an enum ov_exit. */
#ifndef BUS_CALL_H
#define BUS_CALL_H

#include "bus.h"
#include "stream_pages.h"

extern const struct ov_command bus_command_list, bus_command_groups, bus_command_stats,
    bus_command_inspect, bus_command_dlq, bus_command_republish, bus_command_export,
    bus_command_purge, bus_command_restore;

/* What commands show that are about entries of topics: nothing of who works for them. */
extern const char *const bus_call_streams[];

/* Gathers; unable, said, where Redis could not be read. */
int bus_call_gather(struct ov_call *call, const struct ov_batch **batch) OV_MUST_CHECK;
/* The topic that `word` names, with or without the prefix of its stream: sets *topic, or says that
 * there is none of that name, and which is near. `word` NULL: *topic is NULL, for all. */
int bus_call_topic(struct ov_call *call, const struct ov_batch *batch, const char *word,
                   struct ov_slice *topic) OV_MUST_CHECK;
/* The first word, or what flag `stream` was given, as OmniDaemon's own commands take it; NULL:
 * neither. */
const char *bus_call_stream(const struct ov_call *call, unsigned stream);
/* Says why Redis failed. */
int bus_call_failed(struct ov_call *call, struct bus *bus);
/* Says what went wrong with pages, which are freed. */
int bus_call_pages_failed(struct ov_call *call, struct bus *bus, struct stream_pages *pages);

#endif
