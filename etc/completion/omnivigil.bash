# SPDX-License-Identifier: Apache-2.0
# Completion of omnivigil for bash: goes to share/bash-completion/completions/omnivigil.
# shellcheck shell=bash

_omnivigil_plugins() # [input]: names of plugins, of all or of inputs only
{
    "$program" plugins 2>/dev/null |
        sed -n "s/^  \([a-z0-9_]*\) *\(${1:-input\|output}\) .*/\1/p"
}

_omnivigil_rules() # names of the recommended rules
{
    local input
    for input in $(_omnivigil_plugins input); do
        "$program" plugins "$input" 2>/dev/null |
            sed -n '/^Recommended rules/,$s/^  \([a-z0-9-]\{1,\}\) .*/\1/p'
    done
}

_omnivigil()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=
    local command=${COMP_WORDS[1]} place=$COMP_CWORD program=${COMP_WORDS[0]}
    local states='ok warning critical unknown'
    if [[ ${program##*/} == check_omnidaemon ]]; then
        program=omnivigil command=check place=$((COMP_CWORD + 1))
    fi
    case $command$before in
        check-w | check-c | check--warning | check--critical) COMPREPLY=(); return ;;
        *--config | *-c) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        *--plugin-dir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        gather-f | gather--format)
            mapfile -t COMPREPLY < <(compgen -W 'influx json' -- "$word"); return ;;
        check--unknown-as | check--nothing-as)
            mapfile -t COMPREPLY < <(compgen -W "$states" -- "$word"); return ;;
        run--seconds | check--topic | check--agent | check-t | check--timeout)
            COMPREPLY=(); return ;;
    esac
    if [ "$place" -eq 1 ]; then
        words='run gather check config plugins --help --version'
    else
        case $command in
            run) words='--config --plugin-dir --seconds --help' ;;
            gather) words="--config --format --plugin-dir --help $(_omnivigil_plugins input)" ;;
            check)
                words='--warning --critical --topic --agent --timeout --unknown-as --nothing-as
                    --no-perfdata --verbose --config --plugin-dir --help'
                [[ $word == -* ]] || words="$(_omnivigil_rules) $(_omnivigil_plugins input)" ;;
            config)
                words='--config --plugin-dir --help'
                [ "$place" -ne 2 ] || words=check ;;
            plugins) words="--plugin-dir --help agent rules $(_omnivigil_plugins)" ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -o filenames -F _omnivigil omnivigil check_omnidaemon
