# SPDX-License-Identifier: Apache-2.0
"""Writes what OmniDaemon writes, without it and fast: for states and amounts that the real thing
would take long to reach. test_harness.py compares it with the real thing."""

import json
import time
import uuid


def register(client, topic, agent, prefix="omni", group=True, active=True, **config):
    """An agent as storage and bus know it."""
    config = config or {"consumer_count": 1}
    client.hset(f"{prefix}:agent:{topic}:{agent}", mapping={
        "name": agent, "callback_name": "callback", "tools": "[]", "description": "",
        "config": json.dumps(config), "topic": topic, "created_at": repr(time.time()),
    })
    client.sadd(f"{prefix}:agents:topic:{topic}", agent)
    client.sadd(f"{prefix}:topics", topic)
    name = f"group:{topic}:{agent}"
    if group:
        client.xgroup_create(f"omni-stream:{topic}", name, id="$", mkstream=True)
    client.set(f"{prefix}:config:_subscription_active:{name}", json.dumps(active))
    return name


def start_runner(client, prefix="omni", runner_id=None):
    runner_id = runner_id or str(uuid.uuid4())
    client.set(f"{prefix}:config:_omnidaemon_start_time", json.dumps(time.time()))
    client.set(f"{prefix}:config:_omnidaemon_runner_id", json.dumps(runner_id))
    return runner_id


def event(topic, content="task"):
    return json.dumps({
        "content": content, "webhook": None, "reply_to": None, "topic": topic,
        "task_id": str(uuid.uuid4()), "correlation_id": None, "causation_id": None,
        "source": "tests", "delivery_attempts": 1, "created_at": time.time(),
    })


def publish(client, topic, count, maxlen=10_000):
    """The ids of the events."""
    pipe = client.pipeline(transaction=False)
    for _ in range(count):
        pipe.xadd(f"omni-stream:{topic}", {"data": event(topic)}, maxlen=maxlen, approximate=True)
    return pipe.execute()


def take(client, topic, agent, count, ack=False, consumer=1):
    """Reads as the agent's consumer does; the ids."""
    group = f"group:{topic}:{agent}"
    replies = client.xreadgroup(group, f"consumer:{agent}-{consumer}",
                                {f"omni-stream:{topic}": ">"}, count=count)
    if isinstance(replies, dict):
        replies = [(key, value[0]) for key, value in replies.items()]
    ids = [id for _, entries in replies for id, _ in entries]
    if ack and ids:
        client.xack(f"omni-stream:{topic}", group, *ids)
    return ids


def task_events(topic, agent, runner_id, seconds=None, error=None):
    """The two metrics of one attempt: received, and processed or failed."""
    base = {"topic": topic, "agent": agent, "runner_id": runner_id}
    task, now = str(uuid.uuid4()), time.time()
    yield {**base, "event": "task_received", "task_id": task, "timestamp": now, "saved_at": now}
    if error is None:
        yield {**base, "event": "task_processed", "task_id": task, "processing_time_sec": seconds,
               "timestamp": now, "saved_at": now}
    else:
        kind, text = error
        yield {**base, "event": "task_failed", "task_id": task, "msg_id": None, "error": text,
               "error_type": kind, "timestamp": now, "saved_at": now}


def bus_event(topic, agent, kind, id="1-0"):
    return {"topic": topic, "event": kind, "msg_id": id, "group": f"group:{topic}:{agent}",
            "consumer": f"consumer:{agent}-1", "timestamp": time.time()}


def add_metrics(client, events, key="omni:metrics:stream", maxlen=100_000):
    pipe = client.pipeline(transaction=False)
    for one in events:
        pipe.xadd(key, {"data": json.dumps(one)}, maxlen=maxlen, approximate=True)
    pipe.execute()
