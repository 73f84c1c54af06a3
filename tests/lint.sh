#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks the sources themselves, as far as a few lines of shell can: tests/lint.sh [DIRECTORY].
# Prints "ok WHAT" or the places that are wrong and "not ok WHAT"; fails if anything was wrong.
set -u

cd "${1:-$(dirname "$0")/..}" || exit 1
status=0

# result WHAT FOUND: what was found is what is wrong
result() {
    if [ -z "$2" ]; then
        echo "ok $1"
    else
        printf '%s\nnot ok %s\n' "$2" "$1"
        status=1
    fi
}

c_files=$(find core plugins outputs etc tests -name '*.[ch]' | sort)
code=$(find core plugins outputs etc -name '*.[ch]' | sort)
scripts=$(find etc tests .ci -type f \( -name '*.sh' -o -path '.ci/run' \) | sort)
python=$(find tests -name '*.py' | sort)
manuals=$(find . -name '*.[158]' -not -path './.git/*' -not -path './build/*' \
    -not -path './autom4te.cache/*' | sort)

# shellcheck disable=SC2086 # lists of files without blanks
{
    result "every C file begins with its licence" \
        "$(awk 'FNR == 1 && !/SPDX-License-Identifier: Apache-2.0/ {print FILENAME}' $c_files)"
    result "every script begins with its licence" \
        "$(awk 'FNR == 1 {n = 0} FNR < 3 && /SPDX-License-Identifier: Apache-2.0/ {n = 1}
                FNR == 2 && !n {print FILENAME}' $scripts $python)"
    # tables of bytes in tests are better left in one piece
    result "no line is longer than 100 columns" \
        "$(LC_ALL=C.UTF-8 grep -nE '^.{101,}' $code $scripts $python)"
    result "no blanks at line ends, no tabs in C" \
        "$(grep -nE '[[:blank:]]+$' $c_files $scripts $python; grep -nP '\t' $c_files)"
    result "no file of the program is longer than 600 lines" \
        "$(wc -l $code | awk '$2 != "total" && $1 > 600')"
    result "no function of the program is longer than 70 lines" \
        "$(awk 'FNR == 1 {begin = 0}
                /^\{/ {begin = FNR}
                /^\}/ {if (begin && FNR - begin > 71) print FILENAME ":" begin, FNR - begin - 1;
                       begin = 0}' $code)"
    result "nothing unchecked or unbounded from the C library" \
        "$(grep -nE '\<(ato[ifl]|gets|sprintf|strcpy|vsprintf|strtok) *\(' $code)"
    result "nothing is left undone" "$(grep -nwE 'TODO|FIXME|XXX|HACK' $c_files $scripts $python |
        grep -v '^tests/lint.sh:')"
    for script in $scripts; do
        result "shellcheck $script" "$(shellcheck "$script" 2>&1)"
    done
    for manual in $manuals; do
        result "mandoc -T lint $manual" "$(mandoc -T lint -W warning "$manual" 2>&1)"
    done
}
exit $status
