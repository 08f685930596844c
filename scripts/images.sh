#!/bin/sh
# Saves the stack's images to one file and loads them on a machine without a registry: `images.sh save FILE`, `images.sh load FILE`.
# Exit status as in stack.sh.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/common.sh"

usage='usage: make save-images FILE=stack.tar, make load-images FILE=stack.tar'
command=${1:-} file=${2:-}
case $file in -*) file=./$file ;; esac

# Saves each image, or its fallback if only that is on this machine.
save() {
  [ ! -e "$file" ] || fail 2 "FILE: expected a file that does not exist yet, got \"$file\"."
  [ -d "$(dirname -- "$file")" ] || fail 2 "FILE: expected a file in a folder that exists, got \"$file\"."
  GRAFANA_FALLBACK='' missing='' optional=''
  set -- "$COMPOSE_PROJECT_NAME/app" "$COMPOSE_PROJECT_NAME/loadgen"
  for image; do image_present "$image" || missing="$missing $image"; done
  for variable in NODE_IMAGE PROMETHEUS_IMAGE GRAFANA_IMAGE ALERTMANAGER_IMAGE; do
    image=$(value_of "$variable")
    image_present "$image" || image=$(fallback_name "$variable")
    if [ -n "$image" ] && image_present "$image"; then
      set -- "$@" "$image"
    else
      case $variable in GRAFANA* | ALERT*) optional="$optional $(value_of "$variable")" ;; *) missing="$missing $(value_of "$variable")" ;; esac
    fi
  done
  [ -z "$missing" ] || fail 3 "images missing on this machine:$missing" 'Pull or build them with: make up'
  # docker creates the file under its name only after writing it completely.
  run_step "saving $# images" docker save --output "$file" "$@" || fail 1 "\"$file\" could not be written; no file was left."
  say "Saved: $*"
  [ -z "$optional" ] || say "Skipped, because not on this machine:$optional"
}

load() {
  [ -f "$file" ] || fail 2 "FILE: expected a file from make save-images, got \"$file\"."
  run_step "loading the images of $file" docker load --input "$file" || fail 2 "FILE: expected a file from make save-images, got \"$file\"."
  docker tag "$COMPOSE_PROJECT_NAME/app" "$COMPOSE_PROJECT_NAME/app:loaded" || fail 2 "FILE: expected the images of \"$COMPOSE_PROJECT_NAME\", got others."
  say 'Start them with: make up'
}

case $command in
  save | load) [ -n "$file" ] || fail 2 'FILE: expected the name of a file, got "".' "$usage" ;;
  *) fail 2 "expected \"save\" or \"load\", got \"$command\"." "$usage" ;;
esac
engine_answers || refuse_engine 'If no engine is installed, make up shows how to install one.'
"$command"
