# SPDX-License-Identifier: Apache-2.0
"""Publishes events through OmniDaemon's SDK: publisher.py [--maxlen N] TOPIC COUNT [CONTENT].

CONTENT ("task" by default) is what the agents of worker.py look at. A small --maxlen makes the
bus trim the topic as it does in a busy deployment, without publishing ten thousand events first.
"""

import argparse
import asyncio

from omnidaemon import EventEnvelope, OmniDaemonSDK, PayloadBase
from omnidaemon.event_bus.redis_stream_bus import RedisStreamEventBus


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--maxlen", type=int, default=10_000)
    parser.add_argument("topic")
    parser.add_argument("count", type=int)
    parser.add_argument("content", nargs="?", default="task")
    args = parser.parse_args()

    sdk = OmniDaemonSDK(event_bus=RedisStreamEventBus(default_maxlen=args.maxlen))
    for _ in range(args.count):
        await sdk.publish_task(
            EventEnvelope(
                topic=args.topic, payload=PayloadBase(content=args.content), source="tests"
            )
        )
    await sdk.event_bus.close()


if __name__ == "__main__":
    asyncio.run(main())
