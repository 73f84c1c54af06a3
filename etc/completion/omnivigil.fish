# SPDX-License-Identifier: Apache-2.0
# Completion of omnivigil for fish: goes to share/fish/vendor_completions.d/omnivigil.fish.
# The program itself knows what may follow; where it offers nothing, files are.

function __omnivigil_words
    set -l line (commandline -opc) (commandline -ct)
    if string match -q '*check_omnidaemon' -- $line[1]
        set line omnivigil check $line[2..]
    end
    omnivigil complete $line[2..] 2>/dev/null
end

complete -c omnivigil -a '(__omnivigil_words)'
complete -c check_omnidaemon -a '(__omnivigil_words)'
