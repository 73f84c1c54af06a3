# SPDX-License-Identifier: Apache-2.0
# Completion of omnivigil for fish: goes to share/fish/vendor_completions.d/omnivigil.fish.

function __omnivigil_plugins -a kind # input: names of inputs only
    test -n "$kind"; or set kind 'input|output'
    omnivigil plugins 2>/dev/null | string replace -rf "^  (\w+) +($kind) +(.*)" '$1\t$3'
end

set -l commands run gather config plugins
set -l none "not __fish_seen_subcommand_from $commands"

complete -c omnivigil -f
complete -c omnivigil -n $none -a run -d 'Run the agent'
complete -c omnivigil -n $none -a gather -d 'Gather once and print the samples'
complete -c omnivigil -n $none -a config -d 'Check the configuration'
complete -c omnivigil -n $none -a plugins -d "List plugins, or print one's options and measurements"
complete -c omnivigil -n $none -s V -l version -d 'Version'
complete -c omnivigil -s h -l help -d 'Help text'

complete -c omnivigil -n '__fish_seen_subcommand_from config' -a check -d 'Check the configuration'
complete -c omnivigil -n '__fish_seen_subcommand_from gather' -a '(__omnivigil_plugins input)'
complete -c omnivigil -n '__fish_seen_subcommand_from plugins' -a '(__omnivigil_plugins)'
complete -c omnivigil -n '__fish_seen_subcommand_from plugins' -a agent -d 'the agent itself'

complete -c omnivigil -n '__fish_seen_subcommand_from run gather config' -s c -l config -rF \
    -d 'The configuration'
complete -c omnivigil -n "__fish_seen_subcommand_from $commands" -l plugin-dir -x \
    -a '(__fish_complete_directories)' -d 'Where the plugins are'
complete -c omnivigil -n '__fish_seen_subcommand_from gather' -s f -l format -x -a 'influx json' \
    -d 'How samples are printed'
complete -c omnivigil -n '__fish_seen_subcommand_from run' -l seconds -x -d 'End after that time'
