# SPDX-License-Identifier: Apache-2.0
"""A real OmniDaemon runner for the tests: registers the agents it is told to and serves them.

    worker.py [--reclaim-interval S] '[{"topic": "t", "name": "a", "do": "ok"}, ...]'

Where it runs is said by OmniDaemon's own environment variables (REDIS_URL, STORAGE_BACKEND,
REDIS_KEY_PREFIX, JSON_STORAGE_DIR). An agent is an object with

    topic, name                                        as they are registered
    do           what it does with a task: "ok" returns, "fail" raises ValueError(message),
                 "timeout" raises TimeoutError, "stall" sleeps for an hour; a task whose content
                 is one of these words is treated so whatever the agent does otherwise
    ms           how long a task takes before that (0)
    message      of the ValueError ("no luck"); {id} is the task's id
    record       a file that every message the callback gets is added to, one a line
    consumer_count, reclaim_idle_ms, dlq_retry_limit   its subscription
    supervised   true: a supervised process answers the tasks and a heartbeat a second is kept
    restarts     how often that process is restarted, half a second after it died (3)

The event bus is constructed here, with the SDK's own class, only because reclaim_interval is 30
seconds in the ready-made one: a test would wait half a minute for the first retry.

Prints "ready" when all agents are subscribed. SIGTERM stops it as an application should
(sdk.shutdown); SIGKILL is the crash.
"""

import argparse
import asyncio
import json
import os
import signal
import sys

from omnidaemon import AgentConfig, OmniDaemonSDK, SubscriptionConfig
from omnidaemon.agent_runner.agent_supervisor import AgentSupervisor
from omnidaemon.agent_runner.supervisor_storage import register_supervisor_in_storage
from omnidaemon.agent_runner.types import AgentProcessConfig
from omnidaemon.event_bus.redis_stream_bus import RedisStreamEventBus
from omnidaemon.storage import store

WORDS = ("ok", "fail", "timeout", "stall")
SUBSCRIPTION = ("consumer_count", "reclaim_idle_ms", "dlq_retry_limit")


async def echo(payload):
    """What a supervised process does with a task."""
    return {"echo": payload.get("content")}


def callback_of(agent):
    async def callback(message):
        content = message.get("content")
        deed = content if str(content) in WORDS else agent.get("do", "ok")
        if "record" in agent:
            with open(agent["record"], "a", encoding="utf-8") as file:
                file.write(json.dumps(message) + "\n")
        await asyncio.sleep(agent.get("ms", 0) / 1000)
        if deed == "fail":
            raise ValueError(agent.get("message", "no luck").replace("{id}", message["task_id"]))
        if deed == "timeout":
            raise TimeoutError("gave up waiting")
        if deed == "stall":
            await asyncio.sleep(3600)
        return {"answer": content}

    return callback


async def supervise(agent):
    here = os.path.dirname(os.path.abspath(__file__))
    supervisor = AgentSupervisor(
        AgentProcessConfig(
            name=agent["name"],
            command=sys.executable,
            args=["-m", "omnidaemon.agent_runner.python_callback_adapter",
                  "--module", "worker", "--function", "echo"],
            cwd=here,
            env={"PYTHONDONTWRITEBYTECODE": "1"},
            heartbeat_interval_seconds=1.0,
            max_restart_attempts=agent.get("restarts", 3),
            restart_backoff_seconds=0.5,
        ),
        store=store,
    )
    await supervisor.start()
    await register_supervisor_in_storage(agent["name"])

    async def callback(message):
        return await supervisor.handle_event(message)

    return supervisor, callback


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--reclaim-interval", type=float, default=1)
    parser.add_argument("agents", type=json.loads)
    args = parser.parse_args()

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    bus = RedisStreamEventBus(reclaim_interval=args.reclaim_interval)
    sdk = OmniDaemonSDK(event_bus=bus, store=store)
    supervisors = []
    for agent in args.agents:
        if agent.get("supervised"):
            supervisor, callback = await supervise(agent)
            supervisors.append(supervisor)
        else:
            callback = callback_of(agent)
        config = {key: agent[key] for key in SUBSCRIPTION if key in agent}
        await sdk.register_agent(
            AgentConfig(
                name=agent["name"],
                topic=agent["topic"],
                callback=callback,
                tools=["echo"],
                description="an agent of the tests",
                config=SubscriptionConfig(**config),
            )
        )
    await sdk.start()
    print("ready", flush=True)
    await stop.wait()
    for supervisor in supervisors:
        await supervisor.stop()
    await sdk.shutdown()


if __name__ == "__main__":
    asyncio.run(main())
