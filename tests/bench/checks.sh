# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # variables of run.sh
# The rows about rules, for run.sh, which reads this file: check, rules.

build_check_programs() {
    # shellcheck disable=SC2046 # flags
    logged cc-crowd gcc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$build/bin/crowd" \
        "$top/tests/bench/crowd.c" "$top/tests/bench/bench.c" $(pkg-config --cflags --libs hiredis)
    # shellcheck disable=SC2046 # flags
    logged cc-floor-check gcc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra \
        -o "$build/bin/floor_check" "$top/tests/bench/floor_check.c" "$top/tests/bench/bench.c" \
        $(pkg-config --cflags --libs hiredis json-c yaml-0.1)
}

build_rules_program() {
    # shellcheck disable=SC2046 # lists
    logged cc-rules gcc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -rdynamic -I"$top/core" \
        -DOV_PLUGIN_DIR='""' -DOV_STATE_DIR='""' -DOV_SYSCONF_DIR='""' -o "$build/bin/rules" \
        "$top/tests/bench/rules.c" $(find "$top/core" -name '*.c' ! -name main.c) \
        $(pkg-config --cflags --libs yaml-0.1) -lpthread -lm
}

# one_and_fifty GOAL WHO COMMAND...: from start to exit, alone and fifty at once; leaves $alone
one_and_fifty() {
    goal=$1 who=$2
    shift 2
    alone=$(crowd 101 1 "$@") || die "could not be measured: $who"
    fifty=$(crowd 21 50 "$@") || die "could not be measured: $who, fifty at once"
    # shellcheck disable=SC2086 # none for none
    figure check "$who" "$alone" ms ${goal:+'<=' "$goal"}
    figure check "$who, fifty at once, each" "$fifty / 50" ms
}

# A certificate and a Redis that speaks TLS with it; false where Redis cannot.
start_tls_redis() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=IP:127.0.0.1 -keyout "$build/run/key.pem" \
        -out "$build/run/cert.pem" >"$build/log/openssl" 2>&1 || return 1
    for _ in 1 2 3 4 5; do
        next_port
        "$redis_server" --bind 127.0.0.1 --port 0 --tls-port "$port" --dir "$build/run" --save '' \
            --appendonly no --tls-auth-clients no --tls-cert-file "$build/run/cert.pem" \
            --tls-key-file "$build/run/key.pem" >"$build/log/redis-tls" 2>&1 &
        started
        tls_pid=$pid
        until_up redis-cli -p "$port" --tls --cacert "$build/run/cert.pem" PING && return
        stop "$pid"
    done
    return 1
}

row_check() {
    say "checks"
    result title check "a check of 10 topics x 2 agents, from start to exit"
    fill_topics topics 10
    check_tcp=$(find_unpacked check_tcp monitoring-plugins-basic usr/lib/nagios/plugins) ||
        echo "bench: without check_tcp, which cannot be fetched" >&2
    REDIS_URL="redis://127.0.0.1:$redis_port" STORAGE_BACKEND=redis
    export REDIS_URL STORAGE_BACKEND
    one_and_fifty 2 "omnivigil check health" "$omnivigil" check health
    ours=$alone
    one_and_fifty "" "omnivigil check, all rules" "$omnivigil" check
    one_and_fifty "" "floor: the same libraries, PING" floor_check "$redis_port"
    figure check "omnivigil check health / floor" "$ours / $alone" times
    one_and_fifty "" "redis-cli PING" redis-cli -p "$redis_port" PING
    [ -z "$check_tcp" ] ||
        one_and_fifty "" "Debian's check_tcp" "$check_tcp" -H 127.0.0.1 -p "$redis_port"
    if program openssl >/dev/null && start_tls_redis; then
        REDIS_URL="rediss://127.0.0.1:$port?ssl_ca_certs=$build/run/cert.pem"
        one_and_fifty 8 "omnivigil check health, TLS" "$omnivigil" check health
        one_and_fifty "" "redis-cli PING, TLS" redis-cli -p "$port" --tls \
            --cacert "$build/run/cert.pem" PING
        stop "$tls_pid"
    fi
    unset REDIS_URL STORAGE_BACKEND
}

row_rules() {
    say "rules"
    plugins=$(dirname "$omnivigil")/.libs
    for series in 100 20000; do
        cost=$(rules "$plugins" "$series" "$((times * 67))") || die "could not be measured: rules"
        result title "rules-$series" \
            "rules in the agent: the ${cost#* } about groups, $series healthy series"
        figure "rules-$series" "a rule for a series" "${cost% *} / 1000" us '<=' 1
    done
}
