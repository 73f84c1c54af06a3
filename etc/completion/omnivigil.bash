# SPDX-License-Identifier: Apache-2.0
# Completion of omnivigil for bash: goes to share/bash-completion/completions/omnivigil.
# The program itself knows what may follow.
# shellcheck shell=bash

_omnivigil()
{
    local line=("${COMP_WORDS[@]:1:COMP_CWORD}") program=${COMP_WORDS[0]}
    if [[ ${program##*/} == check_omnidaemon ]]; then
        program=omnivigil line=(check "${line[@]}")
    fi
    mapfile -t COMPREPLY < <("$program" complete "${line[@]}" 2>/dev/null | cut -f 1)
}

complete -o bashdefault -o default -F _omnivigil omnivigil check_omnidaemon
