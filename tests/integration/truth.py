# SPDX-License-Identifier: Apache-2.0
"""What happened, by OmniDaemon's own records read in full: the yardstick for omnivigil's numbers.

Shares nothing with omnivigil: whole streams are read with redis-py and parsed with json.
"""

import collections
import dataclasses
import json
import math


@dataclasses.dataclass
class Agent:
    received: int = 0
    processed: int = 0
    failed: int = 0
    failures: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    seconds: list = dataclasses.field(default_factory=list)

    def success_ratio(self):
        """Of the deliveries that ended."""
        return self.processed / (self.processed + self.failed)

    def average(self):
        return sum(self.seconds) / len(self.seconds)

    def percentile(self, q):
        """Nearest rank."""
        return sorted(self.seconds)[max(0, math.ceil(q / 100 * len(self.seconds)) - 1)]


def agents_of(events):
    """{(topic, agent): Agent} of task events in the order they were saved."""
    agents = collections.defaultdict(Agent)
    for event in events:
        kind = event.get("event")
        if kind not in ("task_received", "task_processed", "task_failed"):
            continue
        agent = agents[event["topic"], event["agent"]]
        if kind == "task_received":
            agent.received += 1
        elif kind == "task_processed":
            agent.processed += 1
            agent.seconds.append(event["processing_time_sec"])
        else:
            agent.failed += 1
            agent.failures[event["error_type"]] += 1
    return dict(agents)


def stream(client, key):
    return [(id, json.loads(fields["data"])) for id, fields in client.xrange(key)]


def from_redis(client, prefix="omni"):
    return agents_of(event for _, event in stream(client, f"{prefix}:metrics:stream"))


def from_json(directory):
    with open(f"{directory}/metrics.json", encoding="utf-8") as file:
        return agents_of(json.load(file))


def bus(client):
    """{group: Counter(event)} of omni-metrics."""
    groups = collections.defaultdict(collections.Counter)
    for _, event in stream(client, "omni-metrics"):
        groups[event["group"]][event["event"]] += 1
    return dict(groups)


def dlq(client, topic, agent):
    """Entries of a dead letter queue."""
    return [entry for _, entry in stream(client, f"omni-dlq:group:{topic}:{agent}")]


def as_number(id):
    ms, _, seq = id.partition("-")
    return int(ms), int(seq)


def undelivered(client, topic, group):
    """How many entries the group has yet to get, counted one by one."""
    info = next(g for g in client.xinfo_groups(f"omni-stream:{topic}") if g["name"] == group)
    last = as_number(info["last-delivered-id"])
    return sum(as_number(id) > last for id, _ in client.xrange(f"omni-stream:{topic}"))


def pending(client, topic, group):
    """How many entries the group has got and not acknowledged, counted one by one."""
    return len(client.xpending_range(f"omni-stream:{topic}", group, "-", "+", 10_000))


def lost(client, topic, group, published):
    """How many of the published ids the group has not got and never will."""
    info = next(g for g in client.xinfo_groups(f"omni-stream:{topic}") if g["name"] == group)
    last = as_number(info["last-delivered-id"])
    left = {id for id, _ in client.xrange(f"omni-stream:{topic}")}
    return sum(as_number(id) > last and id not in left for id in published)
