# SPDX-License-Identifier: Apache-2.0
"""Every name of omnivigil's that the integration tests rely on, once."""

# measurements
BUS = "omnidaemon_bus"
STREAM = "omnidaemon_stream"
GROUP = "omnidaemon_group"
CONSUMER = "omnidaemon_consumer"
METRICS = "omnidaemon_metrics"
STORAGE = "omnidaemon_storage"
STORAGE_FILE = "omnidaemon_storage_file"
HEALTH = "omnidaemon_health"
AGENT = "omnidaemon_agent"
FAILURES = "omnidaemon_failures"

# Samples that may be there while Redis cannot be reached.
WITHOUT_REDIS = {BUS, METRICS, STORAGE, STORAGE_FILE, HEALTH}

# plugins
REDIS_BUS = "redis_bus"
STORAGE_INPUT = "storage"
RUNNER = "runner"
INPUTS = (REDIS_BUS, STORAGE_INPUT, RUNNER)
FILE_OUTPUT = "file"
INFLUX_OUTPUT = "influx"

# options
TOPICS = "topics"                   # exactly these
TOPIC_PATTERNS = "topic_patterns"   # those that match
CONSUMERS = "consumers"             # per-consumer samples
BACKEND = "storage"                 # json or redis
JSON_DIR = "json_dir"
REDIS_TIMEOUT = "timeout"
GATHER_TIMEOUT = "gather_timeout"

# life of an agent
POLLING, BUSY, SILENT, PAUSED = "polling", "busy", "silent", "paused"
# of the runner
ACTIVE, STOPPED, LOST, NONE = "active", "stopped", "lost", "none"
# of the whole
RUNNING, READY, DEGRADED, DOWN = "RUNNING", "READY", "DEGRADED", "DOWN"


def inputs(redis, backend="redis", **options):
    """Options of all three inputs, for one OmniDaemon."""
    return [
        {"plugin": REDIS_BUS, "url": redis.url, BACKEND: backend, **options},
        {"plugin": STORAGE_INPUT, "url": redis.url, BACKEND: backend, **options},
        {"plugin": RUNNER, "url": redis.url, BACKEND: backend, **options},
    ]
