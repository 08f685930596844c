# Loads the libraries of all scripts that manage a stack. Sourced with $root set.
. "$root/scripts/console.sh"
. "$root/scripts/settings.sh"
. "$root/scripts/project.sh"
. "$root/scripts/prepare.sh"
