# SPDX-License-Identifier: Apache-2.0
"""Dead letters as OmniDaemon writes them, in any number and without waiting for retries."""

import json


def event(number, topic="orders.created", **more):
    """What a publisher put on the topic."""
    return {"content": {"order": number, "price": 1.0, "name": "Zoë"}, "webhook": None,
            "reply_to": None, "topic": topic, "task_id": f"task-{number}",
            "correlation_id": None, "causation_id": None, "source": "tests",
            "delivery_attempts": 0, "created_at": 1700000000.1234567 + number, **more}


def letter(number, topic="orders.created", retries=3, **more):
    failed = event(number, topic)
    failed["delivery_attempts"] += retries
    return json.dumps({
        "topic": topic, "original_stream": f"omni-stream:{topic}",
        "original_id": f"{1700000000000 + number}-0", "failed_message": failed,
        "error": f"Max retries ({retries + 1}) exceeded", "retry_count": retries,
        "failed_at": 1700000100.5 + number, **more})


def failure(number, topic="orders.created", agent="fraud-check", error="no luck",
            error_type="ValueError"):
    """The event of the task metrics that tells why."""
    return json.dumps({
        "topic": topic, "agent": agent, "runner_id": "r", "event": "task_failed",
        "task_id": f"task-{number}", "msg_id": None, "error": error, "error_type": error_type,
        "timestamp": 1700000050.5 + number, "saved_at": 1700000050.6 + number})


def key_of(topic="orders.created", agent="fraud-check"):
    return f"omni-dlq:group:{topic}:{agent}"


def register(client, topic="orders.created", agents=("fraud-check",)):
    """The topic's groups and their agents, as a runner leaves them."""
    client.sadd("omni:topics", topic)
    for agent in agents:
        client.sadd(f"omni:agents:topic:{topic}", agent)
        client.hset(f"omni:agent:{topic}:{agent}", mapping={"name": agent, "topic": topic,
                                                            "config": "{}"})
        client.xgroup_create(f"omni-stream:{topic}", f"group:{topic}:{agent}", "$", mkstream=True)


def fill(client, count, topic="orders.created", agent="fraud-check", first=0):
    """Returns the entries' ids."""
    pipeline = client.pipeline(transaction=False)
    for number in range(first, first + count):
        pipeline.xadd(key_of(topic, agent), {"data": letter(number, topic)})
    return pipeline.execute()


def published(client, topic="orders.created"):
    """The events on the topic."""
    return [json.loads(fields["data"]) for _, fields in client.xrange(f"omni-stream:{topic}")]


def dead(client, topic="orders.created", agent="fraud-check"):
    """The task ids in the queue."""
    return [json.loads(fields["data"])["failed_message"]["task_id"]
            for _, fields in client.xrange(key_of(topic, agent))]
