# SPDX-License-Identifier: Apache-2.0
# Completion of omnivigil for fish: goes to share/fish/vendor_completions.d/omnivigil.fish.

function __omnivigil_plugins -a kind # input: names of inputs only
    test -n "$kind"; or set kind 'input|output'
    omnivigil plugins 2>/dev/null | string replace -rf "^  (\w+) +($kind) +(.*)" '$1\t$3'
end

function __omnivigil_rules # recommended rules
    for input in (__omnivigil_plugins input | string split -f1 \t)
        omnivigil plugins $input 2>/dev/null | sed -n '/^Recommended rules/,$p' |
            string replace -rf '^  ([a-z0-9-]+) +(.*)' '$1\t$2'
    end
end

set -l commands run gather check config plugins
set -l states 'ok warning critical unknown'
set -l none "not __fish_seen_subcommand_from $commands"

complete -c omnivigil -f
complete -c omnivigil -n $none -a run -d 'Run the agent'
complete -c omnivigil -n $none -a gather -d 'Gather once and print the samples'
complete -c omnivigil -n $none -a check -d 'Apply the rules once, for Nagios and Icinga'
complete -c omnivigil -n $none -a config -d 'Check the configuration'
complete -c omnivigil -n $none -a plugins -d "List plugins, or print one's options and measurements"
complete -c omnivigil -n $none -s V -l version -d 'Version'
complete -c omnivigil -s h -l help -d 'Help text'

complete -c omnivigil -n '__fish_seen_subcommand_from config' -a check -d 'Check the configuration'
complete -c omnivigil -n '__fish_seen_subcommand_from gather' -a '(__omnivigil_plugins input)'
complete -c omnivigil -n '__fish_seen_subcommand_from plugins' -a '(__omnivigil_plugins)'
complete -c omnivigil -n '__fish_seen_subcommand_from plugins' -a agent -d 'the agent itself'
complete -c omnivigil -n '__fish_seen_subcommand_from plugins' -a rules -d 'alert rules and silences'

complete -c omnivigil -n '__fish_seen_subcommand_from run gather config' -s c -l config -rF \
    -d 'The configuration'
complete -c omnivigil -n "__fish_seen_subcommand_from $commands" -l plugin-dir -x \
    -a '(__fish_complete_directories)' -d 'Where the plugins are'
complete -c omnivigil -n '__fish_seen_subcommand_from gather' -s f -l format -x -a 'influx json' \
    -d 'How samples are printed'
complete -c omnivigil -n '__fish_seen_subcommand_from run' -l seconds -x -d 'End after that time'

# config has a word `check` of its own
set -l check '__fish_seen_subcommand_from check; and not __fish_seen_subcommand_from config'
complete -c omnivigil -n $check -a '(__omnivigil_rules; __omnivigil_plugins input)'
complete -c omnivigil -n $check -l config -rF -d 'The configuration'
complete -c omnivigil -n $check -s w -l warning -x -d 'Range of the one rule'
complete -c omnivigil -n $check -s c -l critical -x -d 'Range of the one rule'
complete -c omnivigil -n $check -l topic -x -d 'Only these topics'
complete -c omnivigil -n $check -l agent -x -d 'Only these agents'
complete -c omnivigil -n $check -s t -l timeout -x -d 'Answer within that time'
complete -c omnivigil -n $check -l unknown-as -x -a $states -d 'What could not be looked at'
complete -c omnivigil -n $check -l nothing-as -x -a $states -d 'Nothing found'
complete -c omnivigil -n $check -l no-perfdata -d 'Without performance data'
complete -c omnivigil -n $check -s v -l verbose -d 'Say more'
