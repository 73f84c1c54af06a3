#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds omnivigil in every way that matters and runs all its tests, from anywhere:
#
#     tests/run.sh [--full] [--only STEP] ...
#
# Steps: lint, unit (address and undefined behaviour sanitizers), thread (thread sanitizer), clang,
# integration (real Redis, InfluxDB, Icinga, Nagios and OmniDaemon), quickstart, fuzz (a few seconds
# a target), distcheck.
# --full fuzzes longer and runs the integration tests a second time, against the sanitized build.
#
# Nothing is written to the work tree: sources are copied, built and tested in a directory that is
# removed after success. OV_BUILD=DIR uses and keeps DIR. What is missing is installed with
# apt-get, without starting any service; servers the tests need run on ports of their own.
#
# The last line is "N passed, N failed"; the exit status is 0 only when nothing failed.

# shellcheck disable=SC2317 # steps are called by their names
set -u

PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C.UTF-8
unset CFLAGS CPPFLAGS LDFLAGS MAKEFLAGS REDIS_URL STORAGE_BACKEND REDIS_KEY_PREFIX JSON_STORAGE_DIR
top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
jobs=$(nproc 2>/dev/null || echo 2)
fuzz_seconds=5
full=no only='' build='' finished=no

while [ $# -gt 0 ]; do
    case $1 in
        --full) full=yes fuzz_seconds=60 ;;
        --only)
            [ $# -gt 1 ] || { echo "--only needs a step" >&2; exit 2; }
            only="$only $2"
            shift ;;
        --help|-h) sed -n '3,/^$/s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) echo "$1: unknown option, see $0 --help" >&2; exit 2 ;;
    esac
    shift
done

# ---------------------------------------------------------------- results

say() { printf '\n== %s\n' "$*"; }

# Results are lines "ok WHAT" and "not ok WHAT" of one file, counted at the end.
ok() { echo "ok $*" >>"$build/results"; }
not_ok() { echo "not ok $*" >>"$build/results"; echo "FAILED: $*"; }

finish() {
    status=$?
    [ "$finished" = no ] || exit "$status"
    finished=yes
    trap '' INT TERM HUP
    passed=0 failed=0
    if [ -n "$build" ] && [ -f "$build/results" ]; then
        passed=$(grep -c '^ok ' "$build/results")
        failed=$(grep -c '^not ok ' "$build/results")
    fi
    if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
        failed=1 # it ended before it could say what was wrong
    fi
    [ $((passed + failed)) -gt 0 ] || failed=1
    if [ "$failed" -eq 0 ]; then
        status=0
        [ -n "${OV_BUILD:-}" ] || rm -rf "$build"
    else
        status=1
        [ ! -f "$build/results" ] || { say "What failed"; grep '^not ok ' "$build/results"; }
        [ -z "$build" ] || echo "Logs are in $build/log."
    fi
    echo "$passed passed, $failed failed"
    exit "$status"
}

# run WHAT COMMAND...: output goes to a log, its end is shown where the command fails
run() {
    what=$1 log=$build/log/$(echo "$1" | tr -c 'a-zA-Z0-9\n' '_').log
    shift
    if "$@" >"$log" 2>&1 </dev/null; then
        return 0
    fi
    echo "--- $what failed; the end of $log:"
    tail -n 40 "$log"
    return 1
}

# one WHAT COMMAND...: a command that is a result of its own
one() {
    if run "$@"; then ok "$1"; else not_ok "$1"; return 1; fi
}

wanted() {
    [ -z "$only" ] || case "$only " in *" $1 "*) ;; *) return 1 ;; esac
}

# ---------------------------------------------------------------- what is needed

# need PACKAGE COMMAND...: remembers the package where the command fails
need() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 </dev/null || missing="$missing $package"
}
program() { command -v "$1"; }
compiles() { # COMPILER FLAG...
    echo '#include <stdio.h>
int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n);
int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return d && n ? 0 : 0; }' |
        "$@" -x c - -o "$build/probe"
}
redis_binary() { command -v redis-server || command -v redis-check-rdb; }

look_around() {
    missing=
    need autoconf program autoreconf
    need automake program automake
    need libtool program libtoolize
    need pkg-config program pkg-config
    need make program make
    need gcc program gcc
    need libc6-dev compiles gcc -shared -fPIC
    need xz-utils program xz
    need libhiredis-dev pkg-config --exists hiredis
    need libjson-c-dev pkg-config --exists json-c
    need libcurl4-openssl-dev pkg-config --exists libcurl
    need libssl-dev pkg-config --exists libcrypto
    need libyaml-dev pkg-config --exists yaml-0.1
    need zlib1g-dev pkg-config --exists zlib
    need libncurses-dev pkg-config --exists ncursesw
    need libcmocka-dev pkg-config --exists cmocka
    need python3 program python3
    need python3-venv python3 -c 'import venv, ensurepip'
    need redis-tools redis_binary # has the server's binary, and no service
    need nodejs program node
    need npm program npm
    need shellcheck program shellcheck
    need tmux program tmux
    need mandoc program mandoc
    need openssl program openssl
    need ca-certificates test -e /etc/ssl/certs/ca-certificates.crt
    need clang program clang
    if program clang >/dev/null; then
        need "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev" \
            compiles clang -fsanitize=fuzzer,address
    fi
}

install_missing() {
    look_around
    [ -n "$missing" ] || return 0
    say "Installing$missing"
    root=
    if [ "$(id -u)" -ne 0 ]; then
        root="sudo -n"
    fi
    if ! program apt-get >/dev/null || { [ -n "$root" ] && ! $root true 2>/dev/null; }; then
        echo "These are missing and cannot be installed from here:$missing" >&2
        echo "As root, on Debian or Ubuntu: apt-get install --no-install-recommends$missing" >&2
        return 1
    fi
    for _ in 1 2; do # what clang needs is known once there is a clang
        # shellcheck disable=SC2086 # a list
        run "apt-get" $root env DEBIAN_FRONTEND=noninteractive sh -c \
            'apt-get update && apt-get install -y --no-install-recommends "$@"' - $missing ||
            return 1
        look_around
        [ -n "$missing" ] || return 0
    done
    echo "Still missing after the installation:$missing" >&2
    return 1
}

# find_server VARIABLE FILE PACKAGE...: where a server's program is. Packages would start services:
# what is not installed is unpacked only, with the libraries it lacks; the program's own comes last.
find_server() {
    variable=$1 file=$2
    shift 2
    found=$(command -v "$(basename "$file")") || {
        found=$build/tools/$file
        # shellcheck disable=SC2016 # the inner shell's own arguments
        [ -x "$found" ] || run "$1" sh -ec '
            mkdir -p "$1" && cd "$1"
            shift
            libraries=$(apt-get install -s --no-install-recommends "$@" |
                sed -n "s/^Inst \(lib[^ ]*\) (.*/\1/p")
            apt-get download $libraries "$@"
            for package in $libraries "$@"; do dpkg-deb -x "$package"_*.deb .; done' - \
            "$build/tools" "$@" || return 1
    }
    export "$variable=$found"
}
find_servers() {
    find_server OV_INFLUXD usr/bin/influxd influxdb &&
        find_server OV_NGINX usr/sbin/nginx nginx &&
        find_server OV_VICTORIA usr/bin/victoria-metrics victoria-metrics &&
        find_server OV_ICINGA2 "usr/lib/$(gcc -print-multiarch)/icinga2/sbin/icinga2" \
            icinga2-common icinga2-bin &&
        find_server OV_NAGIOS usr/sbin/nagios4 nagios4-core &&
        find_server OV_NRPE usr/sbin/nrpe nagios-nrpe-server &&
        find_server OV_CHECK_NRPE usr/lib/nagios/plugins/check_nrpe nagios-nrpe-plugin
}

# npm's statsd, the one whose protocol it is
find_statsd() {
    OV_STATSD=$build/tools/statsd/node_modules/statsd/stats.js
    [ -f "$OV_STATSD" ] || run "statsd" npm install --prefix "$build/tools/statsd" \
        --ignore-scripts --omit=optional --no-audit --no-fund --fetch-timeout=60000 \
        --fetch-retries=1 statsd@0.9.0 || return 1
    export OV_STATSD
}

find_redis() {
    OV_REDIS_SERVER=$(command -v redis-server) || {
        # the same binary: it looks at its name
        OV_REDIS_SERVER=$build/tools/redis-server
        mkdir -p "$build/tools"
        ln -sf "$(command -v redis-check-rdb)" "$OV_REDIS_SERVER"
    }
    export OV_REDIS_SERVER
}

# OmniDaemon and pytest in an environment of their own; OV_VENV=DIR keeps one for the next time.
make_venv() {
    venv=${OV_VENV:-$build/venv}
    stamp=$venv/.requirements
    cmp -s "$top/tests/integration/requirements.txt" "$stamp" && return 0
    say "OmniDaemon from PyPI into $venv"
    # shellcheck disable=SC2016 # the inner shell's own arguments
    run "python environment" sh -ec '
        python3 -c "import sys; sys.exit(sys.version_info < (3, 10))" ||
            { echo "OmniDaemon needs Python 3.10 or newer"; exit 1; }
        python3 -m venv "$1"
        "$1/bin/pip" install --disable-pip-version-check -q -r "$2"
        cp "$2" "$3"' - "$venv" "$top/tests/integration/requirements.txt" "$stamp"
}

# ---------------------------------------------------------------- builds

copy_sources() {
    rm -rf "$build/src"
    mkdir -p "$build/src" "$build/log"
    if git -C "$top" rev-parse >/dev/null 2>&1; then
        # what is or may be committed, not what lies around
        git -C "$top" ls-files -co --exclude-standard >"$build/files"
        (cd "$top" && while IFS= read -r file; do
            [ -e "$file" ] && printf '%s\n' "$file"
        done <"$build/files") >"$build/files.there"
        tar -C "$top" -cf - -T "$build/files.there" | tar -C "$build/src" -xf -
    else
        tar -C "$top" --exclude=./.git --exclude=./build -cf - . | tar -C "$build/src" -xf -
    fi
}

prepare() {
    say "Preparing the sources in $build"
    copy_sources || return 1
    cd "$build/src" || return 1
    run "autoreconf" autoreconf -fi
}

# configure_and_make NAME CONFIGURE-ARGUMENT...: builds in $build/NAME
configure_and_make() {
    name=$1
    shift
    rm -rf "${build:?}/$name"
    mkdir -p "$build/$name" && cd "$build/$name" || return 1
    run "configure $name" "$build/src/configure" --enable-werror --prefix="$build/$name/root" \
        "$@" &&
        run "make $name" make -j"$jobs"
}

# count_checks DIR LABEL: cmocka's own counts of every test program that make check ran. A program
# that ended without saying how many passed is a failure whatever make says of it.
count_checks() {
    programs=0
    for trs in $(find "$1" -name '*.trs' | sort); do
        programs=$((programs + 1))
        log=${trs%.trs}.log
        name="$2 $(basename "$trs" .trs)"
        result=$(sed -n 's/^:test-result: *//p' "$trs")
        sed -n "s/^\[       OK \] /ok $name: /p" "$log" >>"$build/results"
        bad=$(sed -n "s/^\[  FAILED  \] \([A-Za-z_]\)/not ok $name: \1/p" "$log" | sort -u)
        if [ -n "$bad" ]; then
            echo "$bad" | tee -a "$build/results"
            tail -n 40 "$log"
        elif [ "$result" != PASS ] || ! grep -q '^\[  PASSED  \]' "$log"; then
            not_ok "$name: ended badly ($result)"
            tail -n 40 "$log"
        fi
    done
    [ "$programs" -gt 0 ] || not_ok "$2: no test program ran"
}

# checks NAME LABEL [COMMAND...]: make check in $build/NAME, under COMMAND
checks() {
    dir=$build/$1 label=$2
    shift 2
    cd "$dir" || return 1
    run "make check $label" "$@" make -k -j"$jobs" check VERBOSE=1
    checked=$?
    count_checks "$dir" "$label"
    [ "$checked" -eq 0 ] || not_ok "$label: make check"
}

# ---------------------------------------------------------------- steps

step_lint() {
    say "lint: sources, scripts and manuals"
    "$build/src/tests/lint.sh" "$build/src" >"$build/log/lint.log" 2>&1
    grep '^ok ' "$build/log/lint.log" >>"$build/results"
    grep '^not ok ' "$build/log/lint.log" >>"$build/results"
    grep -v '^ok ' "$build/log/lint.log"
    grep -qE '^(not )?ok ' "$build/log/lint.log" || not_ok "lint did not run"
}

step_unit() {
    say "unit: tests with address and undefined behaviour sanitizers"
    one "build with sanitizers" configure_and_make sanitized --enable-sanitizers || return
    ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 \
        checks sanitized unit
}

step_thread() {
    say "thread: tests with the thread sanitizer"
    one "build with the thread sanitizer" configure_and_make threads --enable-sanitizers=thread ||
        return
    # Kernels that randomise addresses more than the sanitizer expects need this.
    if setarch -R true 2>/dev/null; then set -- setarch -R; else set -- env; fi
    checks threads thread "$@"
}

step_clang() {
    say "clang: every warning is an error"
    one "build with clang" configure_and_make clang CC=clang
}

# integration NAME LABEL: pytest against the build in $build/NAME, as it installs itself
integration() {
    dir=$build/$1 label=$2
    if ! make_venv || ! find_redis || ! find_servers || ! find_statsd; then
        not_ok "$label: servers"
        return
    fi
    run "make install $label" make -C "$dir" install || { not_ok "$label: make install"; return; }
    run "make player $label" make -C "$dir" etc/player || { not_ok "$label: player"; return; }
    OV_OMNIVIGIL=$dir/root/bin/omnivigil OV_PLAYER=$dir/etc/player
    OV_PLUGIN_DIR=$dir/root/lib/omnivigil OV_INCLUDE=$dir/root/include
    export OV_OMNIVIGIL OV_PLAYER OV_PLUGIN_DIR OV_INCLUDE
    report=$build/log/$1.xml
    rm -f "$report"
    (cd "$build/src/tests/integration" && PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" -m pytest \
        -q -p no:cacheprovider -n $((jobs * 2)) --dist worksteal --junitxml="$report" \
        </dev/null 2>&1) | tee "$build/log/$1.pytest.log" | grep -vE '^(bringing up nodes|$)'
    "$venv/bin/python" - "$report" "$label" >>"$build/results" <<'PYTHON' ||
import sys, xml.etree.ElementTree as tree
cases = tree.parse(sys.argv[1]).getroot().iter("testcase")
for case in cases:
    bad = [child for child in case if child.tag in ("failure", "error", "skipped")]
    name = f"{sys.argv[2]} {case.get('classname')}.{case.get('name')}"
    print("not ok" if bad else "ok", name.encode("ascii", "backslashreplace").decode())
PYTHON
        not_ok "$label: pytest did not finish"
    tail -n 1 "$build/log/$1.pytest.log" | grep -q ' passed' || not_ok "$label: pytest"
}

step_integration() {
    say "integration: real servers, the real OmniDaemon"
    one "build" configure_and_make normal || return
    integration normal integration
    [ "$full" = yes ] || return
    [ -d "$build/sanitized" ] || configure_and_make sanitized --enable-sanitizers
    say "integration with sanitizers"
    integration sanitized "integration with sanitizers"
}

# quickstart WHAT SIGNAL NAME=VALUE... COMMAND...: runs it in an empty directory with little in its
# environment; samples must come, and nothing may be left of it. SIGNAL is sent after 4 s, - is for
# none.
quickstart() {
    signal=$2
    shift 2
    rm -rf "$build/quick" && mkdir -p "$build/quick/tmp" "$build/quick/cwd" || return 1
    cd "$build/quick/cwd" || return 1
    env -i PATH=/usr/bin:/bin TMPDIR="$build/quick/tmp" "$@" >"$build/quick/samples" &
    child=$!
    if [ "$signal" != - ]; then
        sleep 4
        kill -s "$signal" "$child"
    fi
    wait "$child"
    code=$?
    case $signal in -) expected=0 ;; *) expected=143 ;; esac
    grep -q '^omnidaemon_group,.*agent=mail-sorter' "$build/quick/samples" ||
        { echo "no samples"; return 1; }
    left=$(find "$build/quick/tmp" "$build/quick/cwd" -mindepth 1)
    [ -z "$left" ] || { echo "left behind: $left"; return 1; }
    # shellcheck disable=SC2009 # pgrep would have to be installed, too
    if ps -e -o args= | grep "[o]mnivigil.* run .*$build/quick/tmp"; then
        echo "still running"
        return 1
    fi
    [ "$code" -eq "$expected" ] || { echo "exit status $code"; return 1; }
}

configure_in_place() { # DIR
    rm -rf "$1" && cp -R "$build/src" "$1" && cd "$1" && autoreconf -fi && ./configure
}

step_quickstart() {
    say "quickstart: the demonstration, to its end and interrupted"
    # from a tree that was configured in place, as the README says to
    one "configure in place" configure_in_place "$build/quick.src" || return
    one "quickstart builds and ends" quickstart build - \
        OV_BUILD="$build/quick.build" sh "$build/quick.src/etc/quickstart.sh" --seconds 4
    one "quickstart ends at SIGTERM" quickstart signal TERM \
        OV_BUILD="$build/quick.build" sh "$build/quick.src/etc/quickstart.sh"
}

step_fuzz() {
    say "fuzz: $fuzz_seconds s a target"
    one "build fuzz targets" configure_and_make fuzz CC=clang --enable-fuzzers \
        --enable-sanitizers || return
    targets=$(find "$build/fuzz/tests/fuzz" -maxdepth 1 -type f -name 'fuzz_*' ! -name '*.*' | sort)
    [ -n "$targets" ] || not_ok "no fuzz target was built"
    for target in $targets; do
        name=$(basename "$target")
        seeds=$build/src/tests/fuzz/corpus/${name#fuzz_}
        mkdir -p "$build/corpus/$name" "$seeds"
        one "$name" "$target" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=1024 \
            -artifact_prefix="$build/log/$name-" "$build/corpus/$name" "$seeds"
    done
}

step_distcheck() {
    say "distcheck: what is released builds, passes, installs and uninstalls"
    rm -rf "$build/dist"
    mkdir -p "$build/dist" && cd "$build/dist" || return
    run "configure dist" "$build/src/configure" || { not_ok "configure"; return; }
    one "make distcheck" make -j"$jobs" distcheck
}

# ---------------------------------------------------------------- all

trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

build=${OV_BUILD:-$(mktemp -d "${TMPDIR:-/tmp}/omnivigil-test.XXXXXX")} || exit 1
mkdir -p "$build/log" || exit 1
build=$(cd "$build" && pwd)
: >"$build/results"

install_missing || { not_ok "what the tests need"; exit 1; }
prepare || { not_ok "autoreconf"; exit 1; }
for step in lint unit thread clang integration quickstart fuzz distcheck; do
    wanted "$step" || continue
    "step_$step"
done
exit 0
