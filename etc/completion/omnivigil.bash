# SPDX-License-Identifier: Apache-2.0
# Completion of omnivigil for bash: goes to share/bash-completion/completions/omnivigil.
# shellcheck shell=bash

_omnivigil_plugins() # [input]: names of plugins, of all or of inputs only
{
    "${COMP_WORDS[0]}" plugins 2>/dev/null |
        sed -n "s/^  \([a-z0-9_]*\) *\(${1:-input\|output}\) .*/\1/p"
}

_omnivigil()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=
    case $before in
        -c | --config) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        --plugin-dir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        -f | --format) mapfile -t COMPREPLY < <(compgen -W 'influx json' -- "$word"); return ;;
        --seconds) COMPREPLY=(); return ;;
    esac
    if [ "$COMP_CWORD" -eq 1 ]; then
        words='run gather config plugins --help --version'
    else
        case ${COMP_WORDS[1]} in
            run) words='--config --plugin-dir --seconds --help' ;;
            gather) words="--config --format --plugin-dir --help $(_omnivigil_plugins input)" ;;
            config)
                words='--config --plugin-dir --help'
                [ "$COMP_CWORD" -ne 2 ] || words=check ;;
            plugins) words="--plugin-dir --help agent $(_omnivigil_plugins)" ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -o filenames -F _omnivigil omnivigil
