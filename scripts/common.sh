# What every script that handles a stack begins with. Sourced, with $root set.
. "$root/scripts/console.sh"
. "$root/scripts/settings.sh"
. "$root/scripts/project.sh"
. "$root/scripts/prepare.sh"
