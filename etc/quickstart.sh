#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds omnivigil and shows it at work, from anywhere and without configuration:
#
#     etc/quickstart.sh [--seconds N]
#
# Where REDIS_URL is set, or a .env in this directory sets it, the agent watches the OmniDaemon
# there; it only reads. Otherwise it watches a demonstration: a private Redis without a port and a
# player that writes to it what OmniDaemon writes. Samples stream to the terminal until Ctrl-C, or
# for N seconds. The build is kept in ~/.cache/omnivigil (OV_BUILD=DIR: elsewhere) for the next
# time; nothing else is left behind. What is missing is installed with apt-get.

# shellcheck disable=SC2317 # functions are called by trap and by need
set -u

PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
seconds='' stage='' redis_pid='' player_pid='' agent_pid=''

say() { printf '>> %s\n' "$*" >&2; }
die() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }

while [ $# -gt 0 ]; do
    case $1 in
        --seconds)
            case ${2:-} in ''|*[!0-9]*) die "--seconds needs a number of seconds" ;; esac
            seconds=$2
            shift ;;
        --help|-h) sed -n '3,/^$/s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) die "$1: no such option, see $0 --help" ;;
    esac
    shift
done

# ---------------------------------------------------------------- nothing stays behind

clean_up() {
    status=$?
    trap '' INT TERM HUP
    for pid in $agent_pid $player_pid $redis_pid; do
        kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    [ -z "$stage" ] || rm -rf "$stage"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---------------------------------------------------------------- what is needed

need() { # PACKAGE COMMAND...
    package=$1
    shift
    "$@" >/dev/null 2>&1 </dev/null || missing="$missing $package"
}
has() { command -v "$1"; }
compiles() { gcc -E -include stdio.h -x c /dev/null; }
redis_binary() { has redis-server || has redis-check-rdb; }

look_around() {
    missing=
    need autoconf has autoreconf
    need automake has automake
    need libtool has libtoolize
    need pkg-config has pkg-config
    need make has make
    need gcc has gcc
    need libc6-dev compiles
    need libhiredis-dev pkg-config --exists hiredis
    need libjson-c-dev pkg-config --exists json-c
    need libcurl4-openssl-dev pkg-config --exists libcurl
    need libyaml-dev pkg-config --exists yaml-0.1
    need zlib1g-dev pkg-config --exists zlib
    need libncurses-dev pkg-config --exists ncursesw
    need libssl-dev pkg-config --exists libcrypto
    [ "$demo" = no ] || need redis-tools redis_binary # holds the server, and starts no service
}

install_missing() {
    look_around
    [ -n "$missing" ] || return 0
    by_hand="apt-get install --no-install-recommends$missing"
    has apt-get >/dev/null || die "missing, under whatever names this system has them:$missing"
    root=
    if [ "$(id -u)" -ne 0 ]; then
        root=sudo
        has sudo >/dev/null || die "missing:$missing. As root: $by_hand"
    fi
    say "Installing$missing"
    # shellcheck disable=SC2086 # a list
    { $root apt-get -qq update && $root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install -y --no-install-recommends $missing; } >"$stage/install.log" 2>&1 ||
        { tail -n 20 "$stage/install.log" >&2; die "that failed. As root: $by_hand"; }
    look_around
    [ -z "$missing" ] || die "still missing after the installation:$missing"
}

# ---------------------------------------------------------------- build

step() { # WHAT COMMAND...: its output is shown where it fails
    say "$1"
    shift
    "$@" >>"$build/build.log" 2>&1 </dev/null ||
        { tail -n 30 "$build/build.log" >&2; die "that failed; all of it is in $build/build.log"; }
}

# The work tree stays as it is: sources are copied. A stamp tells whether they changed.
build_all() {
    mkdir -p "$build" || die "cannot write to $build: set OV_BUILD to a directory of yours"
    state=$(cd "$top" && find configure.ac Makefile.am core plugins outputs etc -type f \
        -exec cksum {} + | sort | cksum) || die "cannot read the sources in $top"
    if [ "$state" = "$(cat "$build/stamp" 2>/dev/null)" ] && [ -x "$build/bin/omnivigil" ]; then
        return
    fi
    rm -rf "$build/src" "$build/obj" "$build/stamp"
    mkdir -p "$build/src" "$build/obj"
    : >"$build/build.log"
    tar -C "$top" --exclude=./.git --exclude=./build -cf - . | tar -C "$build/src" -xf - ||
        die "cannot copy the sources to $build/src"
    [ ! -f "$build/src/config.status" ] || # built in place: what was made there is in the way
        step "Clearing the copy of what was built in it" make -C "$build/src" distclean
    # shellcheck disable=SC2016 # the inner shells' own arguments
    {
        step "Preparing the build (autoreconf)" sh -c 'cd "$1" && autoreconf -fi' - "$build/src"
        step "Configuring" sh -c 'cd "$1/obj" && ../src/configure --prefix="$1"' - "$build"
    }
    jobs=$(nproc 2>/dev/null || echo 2)
    step "Compiling" make -C "$build/obj" -j"$jobs"
    step "Installing into $build" make -C "$build/obj" install
    step "Compiling the player" make -C "$build/obj" etc/player
    echo "$state" >"$build/stamp"
}

# ---------------------------------------------------------------- the demonstration

start_redis() {
    server=$(has redis-server) || {
        server=$stage/redis-server # the same binary: it looks at its name
        ln -s "$(has redis-check-rdb)" "$server"
    }
    "$server" --port 0 --unixsocket "$stage/redis.sock" --unixsocketperm 700 --dir "$stage" \
        --save '' --appendonly no --daemonize no >"$stage/redis.log" 2>&1 </dev/null &
    redis_pid=$!
    tries=0
    until [ -S "$stage/redis.sock" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 100 ] || ! kill -0 "$redis_pid" 2>/dev/null; then
            cat "$stage/redis.log" >&2
            die "Redis does not start"
        fi
        sleep 0.1
    done
}

start_demo() {
    say "Starting a private Redis and the player"
    start_redis
    "$build/obj/etc/player" --socket "$stage/redis.sock" >"$stage/player.log" 2>&1 </dev/null &
    player_pid=$!
    sleep 1 # so that the first samples have something to show
    kill -0 "$player_pid" 2>/dev/null || { cat "$stage/player.log" >&2; die "no player, no demo"; }
    export REDIS_URL="unix://$stage/redis.sock" STORAGE_BACKEND=redis REDIS_KEY_PREFIX=omni
    # Instead of one that lies around; what the agent says of itself would hide the rest.
    cat >"$stage/demo.yaml" <<'EOF'
agent: {interval: 5s}
outputs: [{plugin: file, exclude: {measurements: ["omnivigil_*"]}}]
EOF
    say "These are samples: measurement, tags, fields. In omnidaemon_group, agent mail-sorter falls"
    say "silent, topic clicks loses tasks, fraud-check fills its dead letter queue. For your own"
    say "OmniDaemon: REDIS_URL=redis://HOST:6379 $0. Ctrl-C ends it."
}

sets_redis_url() { # FILE
    [ -f "$1" ] && grep -qE '^[[:space:]]*(export[[:space:]]+)?REDIS_URL[[:space:]]*=' "$1"
}

demo=no where=REDIS_URL
if [ -z "${REDIS_URL:-}" ]; then
    if sets_redis_url .env; then where=$(pwd)/.env; else demo=yes; fi
fi
stage=$(mktemp -d "${TMPDIR:-/tmp}/omnivigil.XXXXXX") || die "no temporary directory"
build=${OV_BUILD:-${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}}
if [ -z "$build" ]; then
    build=$stage/build # no home: built for this time only
elif [ -z "${OV_BUILD:-}" ]; then
    build=$build/omnivigil
fi

install_missing
build_all
if [ "$demo" = yes ]; then
    start_demo
    set -- -c "$stage/demo.yaml"
else
    say "Watching the OmniDaemon of $where; the agent only reads. Ctrl-C ends it."
fi
STATE_DIRECTORY=$stage/state "$build/bin/omnivigil" run "$@" ${seconds:+--seconds "$seconds"} \
    </dev/null &
agent_pid=$!
wait "$agent_pid"
status=$?
agent_pid=
exit "$status"
