# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # variables of run.sh
# The rows about outputs, for run.sh, which reads this file: encode, influx, statsd.

build_output_programs() {
    # shellcheck disable=SC2046 # flags
    for name in drain floor_influx count_udp; do
        logged "cc-$name" gcc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$build/bin/$name" \
            "$top/tests/bench/$name.c" "$top/tests/bench/bench.c" \
            $(pkg-config --cflags --libs hiredis libcurl)
    done
    # shellcheck disable=SC2046 # flags
    logged cc-encode gcc -std=c11 -D_GNU_SOURCE -O2 -fPIC -Wall -Wextra -I"$top/core" \
        -o "$build/bin/encode" "$top/tests/bench/encode.c" "$top/tests/bench/bench.c" \
        "$top/outputs/line_protocol.c" "$top/core/batch.c" "$top/core/buf.c" "$top/core/clock.c" \
        "$top/core/double.c" "$top/core/mem.c" $(pkg-config --cflags --libs hiredis) -lm
    rm -rf "$build/plugins"
    mkdir -p "$build/plugins"
    cp "$(dirname "$omnivigil")"/.libs/*.so "$build/plugins/" ||
        die "no plugins in .libs beside $omnivigil"
    logged cc-points gcc -std=c11 -D_GNU_SOURCE -O2 -fPIC -shared -Wall -Wextra -I"$top/core" \
        -o "$build/plugins/points.so" "$top/tests/bench/points.c"
}

# middle FILE COLUMN: the median of the numbers in it
middle() {
    cut -d ' ' -f "$2" "$1" | sort -g | awk '
        {value[NR] = $1}
        END {print (value[int((NR + 1) / 2)] + value[int((NR + 2) / 2)]) / 2}'
}

row_encode() {
    say "line protocol"
    result title encode "line protocol, 3 tags and 5 fields, two of them floats"
    encode "$((times * 3))" >"$build/run/encode" || die "could not be measured: encode"
    read -r ours floor <"$build/run/encode"
    figure encode "omnivigil, million lines a second" "1 / $ours" "" '>=' 2
    figure encode "one snprintf a line" "1 / $floor" ""
    figure encode "omnivigil / snprintf" "$floor / $ours" times
}

# An agent whose points all go to one output. POINTS is how they are made, none if it is empty.
write_points_config() { # POINTS STATE_DIR OUTPUT
    cat >"$build/run/points.yaml" <<CONFIG
agent: {interval: 1s, state_dir: $2, grace: 60s, plugin_dir: $build/plugins}
inputs: [$1]
outputs:
  - queue_samples: 100000000
    queue_bytes: 4GiB
    include: {measurements: [bench_point]}
    $3
CONFIG
}

# Nothing of an earlier turn is in the way of the next, and what InfluxDB does with it afterwards
# is given time.
fresh_database() {
    for word in DROP CREATE; do
        answers "/query?q=$word%20DATABASE%20omnidaemon" ||
            die "InfluxDB does not $word a database"
    done
    sleep 2
}

turn_drain() {
    fresh_database
    rm -rf "$build/run/drained"
    cp -r "$build/run/backlog" "$build/run/drained" || die "no backlog"
    write_points_config '' "$build/run/drained" "$output"
    OMNIVIGIL_PLUGIN_DIR=$build/plugins drain "$build/run/drained/queue/influx" \
        "$omnivigil" run -c "$build/run/points.yaml" 2>"$build/log/agent" >>"$build/run/drains" ||
        { cat "$build/log/agent" >&2; die "could not be measured: influx"; }
    missing=$((missing + lines - $(stored)))
}

turn_post() {
    fresh_database
    floor_influx "$build/run/backlog/queue/influx" \
        "http://127.0.0.1:$influx_port/write?db=omnidaemon&precision=ns" 5000 \
        >>"$build/run/posts" ||
        die "could not be measured: the floor of influx"
}

# How many points InfluxDB has.
stored() {
    curl -s -G "http://127.0.0.1:$influx_port/query" --data-urlencode "db=omnidaemon" \
        --data-urlencode 'q=SELECT COUNT(delivered) FROM bench_point' |
        sed -n 's/.*"values":\[\[[^,]*,\([0-9]*\)\].*/\1/p'
}

row_influx() {
    say "draining $lines lines into InfluxDB"
    [ -n "$influxd" ] || die "there is no InfluxDB"
    rm -rf "$build/run/backlog" "$build/run/drains" "$build/run/posts"
    start_influxd
    output="plugin: influx
    url: 'http://127.0.0.1:$influx_port'
    batch: 5000
    queue: write_ahead"
    write_points_config "{plugin: points, samples: $((lines / 5)), gathers: 5}" \
        "$build/run/backlog" "plugin: influx
    url: 'http://127.0.0.1:1'
    queue: write_ahead"
    OMNIVIGIL_PLUGIN_DIR=$build/plugins logged backlog "$omnivigil" run \
        -c "$build/run/points.yaml" --seconds 7
    missing=0
    for turn in $(seq "$times"); do
        [ $((turn % 2)) -eq 0 ] || turn_post
        turn_drain
        [ $((turn % 2)) -eq 1 ] || turn_post
    done
    result title influx "draining $lines lines from disk into InfluxDB, 5000 a request"
    ours=$(middle "$build/run/drains" 1) floor=$(middle "$build/run/posts" 1)
    figure influx "omnivigil, thousand lines a second" "$lines / 1000 / $ours" ""
    figure influx "libcurl, the same bytes" "$lines / 1000 / $floor" ""
    figure influx "omnivigil / libcurl" "$floor / $ours * 100" % '>=' 90
    figure influx "lines missing in InfluxDB" "$missing" "" '<=' 0
    stop "$influx_pid"
}

# turn_statsd OPTION COUNTED: appends "lines datagrams seconds"
turn_statsd() {
    rm -rf "$build/run/state" "$build/run/port"
    count_udp 1500 >"$build/run/port" &
    started
    counter_pid=$pid
    until_up test -s "$build/run/port" || die "no receiver"
    write_points_config "{plugin: points, samples: $((metrics / 5)), series: $metrics}" \
        "$build/run/state" "plugin: statsd
    address: udp://127.0.0.1:$(cat "$build/run/port")
    $1"
    OMNIVIGIL_PLUGIN_DIR=$build/plugins "$omnivigil" run -c "$build/run/points.yaml" \
        >"$build/log/agent" 2>&1 &
    started
    agent_pid=$pid
    wait "$counter_pid"
    tail -n 1 "$build/run/port" >>"$2"
    stop_agent
}

# statsd_at OPTION WHAT: all that is lost is told, of all turns
statsd_at() {
    rm -f "$build/run/counted"
    for _ in $(seq "$times"); do
        turn_statsd "$1" "$build/run/counted"
    done
    lost=$(awk -v all="$metrics" '{lost += all - $1} END {print lost}' "$build/run/counted")
    figure statsd "lost, $2" "$lost" "" '<=' 0
    figure statsd "thousand a second, $2" \
        "$metrics / 1000 / $(middle "$build/run/counted" 3)" ""
}

row_statsd() {
    say "$metrics metrics over UDP"
    result title statsd "a backlog of $metrics StatsD metrics at once, over UDP on loopback"
    statsd_at '' "at the default rate"
    statsd_at 'rate: 0' "without a limit"
}
