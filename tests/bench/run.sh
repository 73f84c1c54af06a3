#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures omnivigil beside what it is compared with, in one run on one machine, from anywhere:
#
#     tests/bench/run.sh [OPTION...]
#
#     --rows LIST        gather,follow,memory,cpu,encode,influx,statsd,check,rules (all of them by
#                        default)
#     --topics LIST      topics in the rows of `gather`: 100,1000,10000; the second size also
#                        beside results of tasks, and without agents in storage
#     --events N         events in the row `follow`: 1000000
#     --results N        results of tasks: 1000000; 0 leaves that out
#     --pending N        pending entries of each group: 0
#     --lines N          lines in the row `influx`: 500000
#     --metrics N        metrics in the row `statsd`: 400000
#     --times N          turns, of which medians are told: 3; each is the median of three
#     --commands         also what each command of a gather costs Redis
#     --omnivigil FILE   measure this program with the plugins in .libs beside it, do not build
#     --json             one JSON object instead of the tables
#
# gather: the agent's input redis_bus in steady state (its own duration_seconds; processor time
# with the encoding and writing of the samples), beside the same commands replayed by bare hiredis
# ("floor": at once, and with a pause before each as the agent has) and a scrape of the same
# streams by Debian's prometheus-redis-exporter. follow: reading the metrics stream from its
# beginning. memory: VmRSS after some cycles. cpu: processor time at an interval of 10 s. encode:
# samples as line protocol, beside snprintf. influx: an agent that starts on a backlog on disk,
# beside a loop around libcurl that posts the same bytes. statsd: what a receiver with the system's
# default buffer counts of a backlog that is there at once. check: `omnivigil check` from start to
# exit, one and fifty at once, beside redis-cli, Debian's check_tcp and the least such a program can
# be. rules: what a rule costs the agent for each series.
#
# Builds outside the work tree (OV_BUILD=DIR uses and keeps DIR), starts private servers on
# loopback and ends them. What is missing is fetched with apt-get, without starting services.
# The exit status tells whether everything could be measured, not whether the goals were met.

set -u

PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C
unset CFLAGS CPPFLAGS LDFLAGS MAKEFLAGS REDIS_URL STORAGE_BACKEND REDIS_KEY_PREFIX JSON_STORAGE_DIR
unset OMNIVIGIL_PLUGIN_DIR OMNIVIGIL_CONFIG
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
all_rows=gather,follow,memory,cpu,encode,influx,statsd,check,rules
rows=$all_rows sizes=100,1000,10000 events=1000000 results=1000000
# shellcheck disable=SC2034 # for outputs.sh
lines=500000 metrics=400000
pending=0 times=3 commands=no json=no omnivigil='' build='' pids='' redis_pid=''
tab=$(printf '\t')

die() { echo "bench: $*" >&2; exit 1; }
usage() { echo "bench: $*, see $0 --help" >&2; exit 2; }

is_number_list() { case $1 in ''|*[!0-9,]*|,*|*,|*,,*) return 1 ;; esac; }
is_number() { is_number_list "$1" && case $1 in *,*) return 1 ;; esac; }

while [ $# -gt 0 ]; do
    case $1 in
        --commands) commands=yes ;;
        --json) json=yes ;;
        --help|-h) sed -n '3,/^$/s/^# \{0,1\}//p' "$0"; exit 0 ;;
        --rows|--topics|--events|--results|--pending|--lines|--metrics|--times|--omnivigil)
            [ $# -gt 1 ] || usage "$1 needs a value"
            case $1 in
                --rows) rows=$2 ;;
                --omnivigil) omnivigil=$(cd "$(dirname "$2")" && pwd)/$(basename "$2") ;;
                --topics) is_number_list "$2" || usage "$1 $2: not numbers"; sizes=$2 ;;
                *) is_number "$2" || usage "$1 $2: not a number"; eval "${1#--}=\$2" ;;
            esac
            shift ;;
        *) usage "$1: unknown option" ;;
    esac
    shift
done
[ "$times" -gt 0 ] || usage "--times must be above 0"
for row in $(echo "$rows" | tr , ' '); do
    case ,$all_rows, in *,"$row",*) ;; *) usage "--rows: no row $row" ;; esac
done

wanted() { case ,$rows, in *,"$1",*) ;; *) return 1 ;; esac; }
say() { echo "== $*" >&2; }

# ---------------------------------------------------------------- nothing stays behind

# stop PID...: of processes started here
stop() {
    for ended in "$@"; do
        kill "$ended" 2>/dev/null && wait "$ended" 2>/dev/null
        pids=$(echo " $pids " | sed "s/ $ended / /")
    done
}

finish() {
    status=$?
    trap '' INT TERM HUP
    # shellcheck disable=SC2086 # a list
    stop $pids
    if [ -n "${OV_BUILD:-}" ]; then
        [ -z "$build" ] || rm -rf "$build/run"
    elif [ "$status" -eq 0 ]; then
        rm -rf "$build"
    else
        [ -z "$build" ] || echo "bench: logs are in $build" >&2
    fi
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# logged NAME COMMAND...: shows the end of the log where the command fails
logged() {
    log=$build/log/$1
    shift
    "$@" >"$log" 2>&1 </dev/null && return
    tail -n 30 "$log" >&2
    die "failed: $*"
}

# ---------------------------------------------------------------- what is needed

program() { command -v "$1"; }
redis_binary() { program redis-server || program redis-check-rdb; }
need() { # PACKAGE COMMAND...: remembers the package where the command fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 </dev/null || missing="$missing $package"
}

install_missing() {
    missing=
    need gcc program gcc
    need libc6-dev gcc -E -include stdio.h -x c /dev/null
    need pkg-config program pkg-config
    need libhiredis-dev pkg-config --exists hiredis
    need libjson-c-dev pkg-config --exists json-c
    need redis-tools redis_binary # has the server's binary, and no service
    need libcurl4-openssl-dev pkg-config --exists libcurl
    need curl program curl
    need libyaml-dev pkg-config --exists yaml-0.1
    if [ -z "$omnivigil" ]; then
        need libncurses-dev pkg-config --exists ncursesw
        need autoconf program autoreconf
        need automake program automake
        need libtool program libtoolize
        need make program make
    fi
    [ -n "$missing" ] || return 0
    say "installing$missing"
    root="env"
    [ "$(id -u)" -eq 0 ] || root="sudo -n"
    program apt-get >/dev/null || die "missing, and there is no apt-get:$missing"
    # shellcheck disable=SC2086 # lists
    logged apt-update $root apt-get update
    # shellcheck disable=SC2086 # lists
    logged apt-install $root env DEBIAN_FRONTEND=noninteractive apt-get install -y \
        --no-install-recommends $missing
}

# find_unpacked BINARY PACKAGE [FOLDER]: prints where it is (FOLDER: usr/bin); a package that would
# start a service or configure something is unpacked
find_unpacked() {
    program "$1" && return
    for at in "/${3:-usr/bin}/$1" "$build/tools/${3:-usr/bin}/$1"; do
        [ ! -x "$at" ] || { echo "$at" && return; }
    done
    mkdir -p "$build/tools"
    (cd "$build/tools" && apt-get download "$2" && dpkg-deb -x "$2"_*.deb .) \
        >"$build/log/fetch-$2" 2>&1 && [ -x "$at" ] && echo "$at"
}

find_redis() {
    program redis-server && return
    ln -sf "$(program redis-check-rdb)" "$build/bin/redis-server" # it looks at its name
    echo "$build/bin/redis-server"
}

copy_sources() {
    rm -rf "$build/src"
    mkdir -p "$build/src"
    if git -C "$top" rev-parse >/dev/null 2>&1; then
        (cd "$top" && git ls-files -co --exclude-standard | while IFS= read -r file; do
            [ ! -e "$file" ] || printf '%s\n' "$file"
        done | tar -cf - -T -) | tar -C "$build/src" -xf -
    else
        tar -C "$top" --exclude=./.git --exclude=./build -cf - . | tar -C "$build/src" -xf -
    fi
}

build_omnivigil() {
    say "building omnivigil"
    copy_sources || die "cannot copy the sources"
    rm -rf "$build/agent"
    mkdir -p "$build/agent" "$build/src/.m4" "$build/src/.build-aux"
    cd "$build/src" || exit 1
    logged autoreconf autoreconf -fi
    cd "$build/agent" || exit 1
    logged configure "$build/src/configure" CFLAGS="-O2 -g"
    logged make make -j"$(nproc 2>/dev/null || echo 2)"
    omnivigil=$build/agent/omnivigil
}

build_programs() {
    for name in fill poll record watch spend scrape floor_gather floor_follow; do
        # shellcheck disable=SC2046 # flags
        logged "cc-$name" gcc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$build/bin/$name" \
            "$top/tests/bench/$name.c" "$top/tests/bench/bench.c" \
            $(pkg-config --cflags --libs hiredis json-c)
    done
}

# ---------------------------------------------------------------- servers

# started: the process started last is one of ours; its id is in $pid
started() {
    pid=$!
    pids="$pids $pid"
}

next_port() { port=$((port + 1)); }

# until_up COMMAND...: waits until it succeeds; fails when $pid has ended or after 30 s
until_up() {
    for _ in $(seq 300); do
        kill -0 "$pid" 2>/dev/null || return 1
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    return 1
}

is_our_redis() { redis-cli -p "$port" INFO server | grep -q "^process_id:$pid"; }

# A Redis without data, on $redis_port.
fresh_redis() {
    [ -z "$redis_pid" ] || stop "$redis_pid"
    for _ in 1 2 3 4 5; do
        next_port
        "$redis_server" --bind 127.0.0.1 --port "$port" --dir "$build/run" --save '' \
            --appendonly no >"$build/log/redis" 2>&1 &
        started
        redis_pid=$pid redis_port=$port
        until_up is_our_redis && return
        stop "$pid"
    done
    die "Redis does not start, see $build/log/redis"
}

answers() { scrape "$port" "$1" 0 0 0 0; }

# start_exporter: on $exporter_port, as $exporter_pid
start_exporter() {
    for _ in 1 2 3 4 5; do
        next_port
        "$exporter" -redis.addr "redis://127.0.0.1:$redis_port" -check-streams 'omni-stream:*' \
            -web.listen-address "127.0.0.1:$port" >"$build/log/exporter" 2>&1 &
        started
        exporter_pid=$pid exporter_port=$port
        until_up answers / && return
        stop "$pid"
    done
    die "the exporter does not start, see $build/log/exporter"
}

# start_influxd: on $influx_port, as $influx_pid, with a database
start_influxd() {
    rm -rf "$build/run/influx"
    for _ in 1 2 3 4 5; do
        next_port
        cat >"$build/run/influxd.conf" <<CONFIG
reporting-enabled = false
bind-address = "127.0.0.1:$((port + 1000))"
[meta]
dir = "$build/run/influx/meta"
[data]
dir = "$build/run/influx/data"
wal-dir = "$build/run/influx/wal"
[http]
bind-address = "127.0.0.1:$port"
log-enabled = false
[monitor]
store-enabled = false
CONFIG
        "$influxd" -config "$build/run/influxd.conf" >"$build/log/influxd" 2>&1 &
        started
        influx_pid=$pid influx_port=$port
        until_up answers /ping && answers '/query?q=CREATE%20DATABASE%20omnidaemon' && return
        stop "$pid"
    done
    die "influxd does not start, see $build/log/influxd"
}

# write_config INTERVAL INPUTS OUTPUT: INPUTS are plugins, OUTPUT is the YAML of one output
write_config() {
    {
        echo "agent: {interval: $1, state_dir: $build/run/state}"
        echo "inputs:"
        for input in $2; do
            echo "  - {plugin: $input, url: 'redis://127.0.0.1:$redis_port', storage: redis}"
        done
        echo "outputs:"
        echo "  - $3"
    } >"$build/run/omnivigil.yaml"
}

# start_agent INTERVAL INPUTS [OUTPUT]: as $agent_pid; its samples go to $samples by default
start_agent() {
    samples=$build/run/samples
    write_config "$1" "$2" "${3:-{plugin: file, path: $samples\}}"
    rm -rf "$build/run/state"
    mkdir -p "$build/run/state"
    : >"$samples"
    "$omnivigil" run -c "$build/run/omnivigil.yaml" >"$build/log/agent" 2>&1 &
    started
    agent_pid=$pid
}

stop_agent() {
    stop "$agent_pid"
    ! grep ' error ' "$build/log/agent" >&2 || die "the agent complains"
}

# ---------------------------------------------------------------- results

# Lines of one file, fields parted by tabs:
#   title ROW TEXT | cost ROW SUBJECT WALL CPU REDIS_CPU (ms; - for none)
#   figure ROW WHAT VALUE UNIT RELATION LIMIT (- - for one without a goal)
#   command ROW NAME CALLS MICROSECONDS_EACH
result() { # KIND ROW FIELD...
    line=$1
    shift
    for field in "$@"; do
        line=$line$tab$field
    done
    echo "$line" >>"$build/run/results"
}

# turn KEY COMMAND...: keeps the three numbers (wall, own CPU, Redis CPU) that the command prints
turn() {
    key=$1
    shift
    "$@" >>"$build/run/turns.$key" && return
    [ ! -f "$build/log/agent" ] || tail -n 20 "$build/log/agent" >&2
    die "could not be measured: $key"
}

# settle ROW SUBJECT KEY: the medians of all turns become a result, and $cost
settle() {
    cost=$(awk '
        {for (column = 1; column <= 3; column++) values[column, NR] = $column + 0}
        function median(column, i, j, kept) {
            for (i = 2; i <= NR; i++) {
                kept = values[column, i]
                for (j = i; j > 1 && values[column, j - 1] > kept; j--)
                    values[column, j] = values[column, j - 1]
                values[column, j] = kept
            }
            return (values[column, int((NR + 1) / 2)] + values[column, int((NR + 2) / 2)]) / 2
        }
        END {printf "%.6g %.6g %.6g", median(1), median(2), median(3)}' "$build/run/turns.$3")
    rm "$build/run/turns.$3"
    # shellcheck disable=SC2086 # three numbers
    result cost "$1" "$2" $cost
}

calculate() { awk "BEGIN {printf \"%.4g\", $1}"; }
first() { echo "${1%% *}"; }
second() { rest=${1#* }; echo "${rest%% *}"; }

# figure ROW WHAT EXPRESSION UNIT [RELATION LIMIT]
figure() {
    result figure "$1" "$2" "$(calculate "$3")" "$4" "${5:--}" "${6:--}"
}

megabytes() { # PID
    awk '/^VmRSS:/ {printf "%.2f", $2 / 1024}' "/proc/$1/status"
}

# ---------------------------------------------------------------- rows

# fill_topics KIND COUNT: a fresh Redis with topics and their consumers; KIND as fill has it
fill_topics() {
    fresh_redis
    logged fill fill "$redis_port" "$1" "$2" "$pending"
    poll "$redis_port" "$1" "$2" 2>"$build/log/poll" &
    started
}

# Redis' processor time in a second without an agent, in ms: it belongs to no gather.
measure_idle_redis() {
    idle=$(spend "$redis_pid" 1 sleep 2) || die "could not be measured: idle Redis"
    idle=$(calculate "${idle##* } / 2")
}

# watch_agent SKIP: as watch, without what Redis does anyway in the time between two gathers
watch_agent() {
    watched=$(watch "$samples" redis_bus "$agent_pid" "$redis_pid" "$1" 3) || return
    echo "${watched% *} $(calculate "${watched##* } - $idle * $interval_ms / 1000")"
}

# The agent's steady state, once; records its commands where that has not been done.
turn_agent() { # KEY
    start_agent "${interval_ms}ms" redis_bus
    turn "$1" watch_agent 2
    [ -e "$build/run/record" ] || logged record record "$redis_port" "$build/run/record"
    stop_agent
}

turn_floor() { # KEY TIMES PAUSE_MS
    turn "$1" floor_gather "$redis_port" "$redis_pid" "$build/run/record" "$2" "$3"
}

turn_exporter() { # KEY
    scrapes=3
    [ "$count" -lt 5000 ] || scrapes=1
    turn "$1" scrape "$exporter_port" /metrics "$exporter_pid" "$redis_pid" "$scrapes" \
        "$interval_ms"
}

tell_commands() {
    redis-cli -p "$redis_port" CONFIG RESETSTAT >/dev/null
    floor_gather "$redis_port" "$redis_pid" "$build/run/record" 9 "$interval_ms" >/dev/null
    redis-cli -p "$redis_port" INFO commandstats | tr -d '\r' | awk -F '[_:=,]' '
        /^cmdstat_/ && !/config/ {print $2, $4 / 10, $6 / $4}' | sort -k 3 -rn |
        while read -r name calls each; do
            result command "$row" "$name" "$calls" "$each"
        done
}

# gather KIND TOPICS: KIND as fill has it; leaves $ours
gather() {
    count=$2 row=gather-$1-$2 interval_ms=500
    [ "$count" -le 2000 ] || interval_ms=1000
    [ "$1" = topics ] && what=registered || what="not registered"
    result title "$row" "gather of $count topics x 2 groups x 2 consumers, $what"
    fill_topics "$1" "$count"
    measure_idle_redis
    compared=no
    if [ "$1" = topics ] && [ -n "$exporter" ]; then
        compared=yes
        start_exporter
    fi
    rm -f "$build/run/record"
    for _ in $(seq "$times"); do
        turn_agent ours
        turn_floor floor 3 "$interval_ms"
        turn_floor busy 5 0
        [ "$compared" = no ] || turn_exporter exporter
    done
    settle "$row" "omnivigil" ours
    ours=$cost
    settle "$row" "floor, at the same interval" floor
    figure "$row" "omnivigil / floor" "$(first "$ours") / $(first "$cost")" times '<=' 1.3
    settle "$row" "floor, over and over" busy
    figure "$row" "omnivigil / floor over and over" "$(first "$ours") / $(first "$cost")" times
    if [ "$compared" = yes ]; then
        stop "$exporter_pid"
        settle "$row" "redis_exporter, a scrape" exporter
        figure "$row" "redis_exporter / omnivigil" "$(first "$cost") / $(first "$ours")" \
            times '>=' 20
    fi
    [ "$commands" = no ] || tell_commands
}

# Must not change a gather: results of tasks are often millions. They make Redis' table of keys
# larger than its caches, which the floor shows as well.
gather_beside_results() {
    row=gather-results
    result title "$row" "gather of $count topics beside $results results of tasks"
    for _ in $(seq "$times"); do
        turn_agent ours
        turn_floor floor 3 "$interval_ms"
    done
    logged fill fill "$redis_port" results "$results"
    measure_idle_redis
    for _ in $(seq "$times"); do
        turn_agent with
        turn_floor floor-with 3 "$interval_ms"
    done
    settle "$row" "omnivigil, without results" ours
    ours=$cost
    settle "$row" "floor, without results" floor
    floor=$cost
    settle "$row" "omnivigil" with
    figure "$row" "omnivigil, with / without" "$(first "$cost") / $(first "$ours")" times '<=' 1.3
    ours=$cost
    settle "$row" "floor" floor-with
    figure "$row" "floor, with / without" "$(first "$cost") / $(first "$floor")" times
    figure "$row" "omnivigil / floor" "$(first "$ours") / $(first "$cost")" times '<=' 1.3
}

row_gather() {
    previous='' middle=$(echo "$sizes" | cut -d , -f 2)
    for size in $(echo "$sizes" | tr , ' '); do
        say "gather of $size topics"
        gather topics "$size"
        each=$(calculate "$(first "$ours") / $size")
        [ -z "$previous" ] ||
            figure "$row" "time a topic / at the size before" "$each / $previous" times '<=' 1.3
        previous=$each
        [ "$size" = "$middle" ] || continue
        [ "$results" -eq 0 ] || gather_beside_results
        gather streams "$size"
    done
}

turn_gather_once() { # KEY KEY_PREFIX
    cat >"$build/run/once.yaml" <<CONFIG
agent: {state_dir: $build/run/none}
inputs:
  - {plugin: runner, url: 'redis://127.0.0.1:$redis_port', storage: redis, key_prefix: $2}
CONFIG
    turn "$1" spend "$redis_pid" 3 "$omnivigil" gather -c "$build/run/once.yaml" runner
}

row_follow() {
    say "following $events events"
    fresh_redis
    logged fill fill "$redis_port" events "$events"
    for _ in $(seq "$times"); do
        turn drop floor_follow "$redis_port" "$redis_pid" "$events" discard 3
        turn parse floor_follow "$redis_port" "$redis_pid" "$events" json 1
        turn_gather_once ours omni
        turn_gather_once empty empty
    done
    result title follow "following $events events of the metrics stream"
    settle follow "floor: XREAD COUNT 1000, dropped" drop
    drop=$cost
    settle follow "floor: with json-c, five fields" parse
    parse=$cost
    settle follow "omnivigil gather runner" ours
    ours=$cost
    settle follow "omnivigil gather runner, no events" empty
    took="($(first "$ours") - $(first "$cost"))" used="($(second "$ours") - $(second "$cost"))"
    figure follow "omnivigil, thousand events a second" "$events / $took" "" '>=' 600
    figure follow "omnivigil, CPU an event" "$used / $events * 1e3" us '<=' 1.7
    figure follow "omnivigil / floor, dropped" "$took / $(first "$drop")" times
    figure follow "floor with json-c, thousand a second" "$events / $(first "$parse")" ""
    figure follow "floor with json-c, CPU an event" "$(second "$parse") / $events * 1e3" us
}

all_inputs="redis_bus runner storage"

# memory_of WHAT LIMIT: of the agent that runs, after some cycles and a moment's rest
memory_of() {
    sleep 0.5
    figure memory "$1" "$(megabytes "$agent_pid")" MiB '<=' "$2"
    stop_agent
}

memory_at() { # TOPICS LIMIT
    start_agent 1s "$all_inputs"
    watch "$samples" redis_bus "$agent_pid" "$redis_pid" 1 6 >/dev/null ||
        die "the agent could not be watched"
    memory_of "omnivigil, $1 topics, output to a file" "$2"
    [ -n "$exporter" ] || return 0
    start_exporter
    turn exporter scrape "$exporter_port" /metrics "$exporter_pid" "$redis_pid" 3 500
    rm "$build/run/turns.exporter"
    figure memory "redis_exporter, $1 topics" "$(megabytes "$exporter_pid")" MiB
    stop "$exporter_pid"
}

row_memory() {
    say "memory"
    result title memory "resident memory, idle, all inputs"
    fill_topics topics 100
    memory_at 100 4
    if [ -n "$influxd" ]; then
        start_influxd
        start_agent 1s "$all_inputs" "{plugin: influx, url: 'http://127.0.0.1:$influx_port'}"
        sleep 8
        memory_of "omnivigil, 100 topics, output to InfluxDB" 13
        stop "$influx_pid"
    fi
    fill_topics topics 10000
    memory_at 10000 30
}

row_cpu() {
    say "processor time at an interval of 10 s"
    result title cpu "processor time at an interval of 10 s, 100 topics, all inputs"
    fill_topics topics 100
    interval_ms=10000
    measure_idle_redis
    start_agent "${interval_ms}ms" "$all_inputs"
    turn cycle watch_agent 1
    stop_agent
    settle cpu "omnivigil, a cycle" cycle
    figure cpu "omnivigil, of a core" "$(second "$cost") / 10000 * 100" % '<=' 0.1
}

# shellcheck disable=SC1091 # it is checked by itself
. "$top/tests/bench/outputs.sh"
# shellcheck disable=SC1091
. "$top/tests/bench/checks.sh"

# ---------------------------------------------------------------- output

print_tables() {
    awk -F '\t' '
        function verdict(value, relation, limit) {
            if (relation == "-") return ""
            met = relation == "<=" ? value <= limit : value >= limit
            return sprintf("  (goal %s %s: %s)", relation, limit, met ? "met" : "MISSED")
        }
        $1 == "title" {
            printf "\n%s\n", $3
            costs = 0
        }
        $1 == "cost" {
            if (!costs++) printf "  %-40s %12s %12s %12s\n", "ms", "wall", "own CPU", "Redis CPU"
            printf "  %-40s %12.3f %12.3f %12.3f\n", $3, $4, $5, $6
        }
        $1 == "figure" {printf "  %-40s %12s %s%s\n", $3, $4, $5, verdict($4, $6, $7)}
        $1 == "command" {
            printf "  %-40s %12.1f a gather, %.2f us each, %.3f ms\n", $3, $4, $5, $4 * $5 / 1e3
        }' "$build/run/results"
}

print_json() {
    awk -F '\t' '
        function text(value) {gsub(/["\\]/, "\\\\&", value); return "\"" value "\""}
        function begin(kind) {printf "%s{\"kind\": %s, \"row\": %s", n++ ? ",\n  " : "", text(kind),
                                     text($2)}
        BEGIN {printf "{\"results\": [\n  "}
        $1 == "title" {begin("row"); printf ", \"title\": %s}", text($3)}
        $1 == "cost" {
            begin("cost")
            printf ", \"subject\": %s, \"wall_ms\": %s, \"cpu_ms\": %s, \"redis_cpu_ms\": %s}",
                text($3), $4, $5, $6
        }
        $1 == "figure" {
            begin("figure")
            printf ", \"what\": %s, \"value\": %s, \"unit\": %s", text($3), $4, text($5)
            if ($6 != "-")
                printf ", \"relation\": %s, \"goal\": %s, \"met\": %s", text($6), $7,
                    ($6 == "<=" ? $4 <= $7 : $4 >= $7) ? "true" : "false"
            printf "}"
        }
        $1 == "command" {
            begin("command")
            printf ", \"command\": %s, \"calls\": %s, \"microseconds\": %s}", text($3), $4, $5
        }
        END {printf "\n]}\n"}' "$build/run/results"
}

# ---------------------------------------------------------------- all

build=${OV_BUILD:-$(mktemp -d "${TMPDIR:-/tmp}/omnivigil-bench.XXXXXX")} || exit 1
mkdir -p "$build/log" "$build/bin" "$build/run" || exit 1
build=$(cd "$build" && pwd)
: >"$build/run/results"
port=$((20000 + $$ % 8000))

install_missing
[ -n "$omnivigil" ] || build_omnivigil
[ -x "$omnivigil" ] || die "no program: $omnivigil"
build_programs
build_output_programs
! wanted check || build_check_programs
! wanted rules || build_rules_program
PATH=$build/bin:$PATH
redis_server=$(find_redis)
exporter=$(find_unpacked prometheus-redis-exporter prometheus-redis-exporter) ||
    echo "bench: without prometheus-redis-exporter, which cannot be fetched" >&2
influxd=
if wanted memory || wanted influx; then
    influxd=$(find_unpacked influxd influxdb) ||
        echo "bench: without InfluxDB, which cannot be fetched" >&2
fi

cd "$build/run" || exit 1
load=$(cut -d ' ' -f 1 /proc/loadavg 2>/dev/null || echo unknown)
for row in $(echo "$all_rows" | tr , ' '); do
    ! wanted "$row" || "row_$row"
done
if [ "$json" = yes ]; then
    print_json
else
    echo "$("$omnivigil" --version | head -n 1)," \
        "Redis $("$redis_server" --version | tr ' ' '\n' | sed -n 's/^v=//p')," \
        "$(nproc 2>/dev/null || echo '?') processors, load $load before; medians of $times turns"
    print_tables
fi
