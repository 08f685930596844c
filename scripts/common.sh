# What every script that handles a stack begins with. Sourced, as are the files that it names, with $root set.
. "$root/scripts/console.sh"
. "$root/scripts/settings.sh"
. "$root/scripts/project.sh"
. "$root/scripts/prepare.sh"
