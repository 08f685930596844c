#!/bin/sh
# Prometheus' data into a file, and back: `backup.sh backup FILE`, `backup.sh restore FILE`. Prometheus stands still for it (seconds),
# so that the files fit each other; what the API counts in that time is in the next scrape. Exit status as in stack.sh.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/console.sh"
. "$root/scripts/settings.sh"
. "$root/scripts/lock.sh"
. "$root/scripts/engine.sh"
. "$root/scripts/images.sh"

usage='usage: make backup FILE=prometheus.tgz, make restore FILE=prometheus.tgz'
command=${1:-}
file=${2:-}
case $file in -*) file=./$file ;; esac

container() { compose ps --all --quiet prometheus 2>/dev/null; }

# on_data WORDS...: a shell that sees nothing but Prometheus' folder, as its owner.
on_data() {
  docker run --rm --interactive --network none --read-only --cap-drop ALL --user 65534:65534 \
    --volumes-from "$(container)" --entrypoint sh "$NODE_IMAGE" -c "cd /prometheus && $1"
}

was_running=''
stand_still() {
  was_running=$(compose ps --quiet --status running prometheus 2>/dev/null)
  [ -z "$was_running" ] || run_step 'stopping Prometheus' compose stop prometheus || fail 1 'Prometheus could not be stopped.'
}

# However this ends, Prometheus goes on, and nothing half written stays.
part=''
finish() {
  trap '' INT TERM
  [ -z "$part" ] || rm -f "$part"
  [ -z "$was_running" ] ||
    run_step 'starting Prometheus' compose up --detach --no-build --no-deps --no-recreate --wait --wait-timeout 120 prometheus ||
    fail 1 'Prometheus could not be started.'
}

# A file that was cut off, on its way or while it was written, fails one of the first two.
is_whole() {
  names=$(gzip -t "$1" 2>/dev/null && tar -tzf "$1" 2>/dev/null) || return 1
  for name in ./chunks_head/ ./wal/; do printf '%s\n' "$names" | grep -qxF "$name" || return 1; done
}

backup() {
  [ ! -e "$file" ] || fail 2 "FILE: expected a file that does not exist yet, got \"$file\"."
  [ -d "$(dirname -- "$file")" ] || fail 2 "FILE: expected a file in a folder that exists, got \"$file\"."
  [ -n "$(container)" ] || fail 3 'there is no Prometheus to back up.' 'Start it with: make up'
  reason=$(mktemp "$file.part.XXXXXX" 2>&1) && part=$reason || fail 1 "\"$file\" cannot be written: $reason"
  stand_still
  on_data 'tar -czf - .' >"$part" && is_whole "$part" && mv "$part" "$file" || fail 1 "the data could not be written to \"$file\"; no file was left."
  say "Prometheus' data: $file, $(($(wc -c <"$file") / 1024)) kB"
}

restore() {
  is_whole "$file" || fail 2 "FILE: expected a file that make backup has written, and all of it, got \"$file\"."
  claim_data
  [ -n "$(container)" ] || run_step 'creating Prometheus' compose up --no-start --no-build --no-deps prometheus || fail 1 'Prometheus could not be created.'
  stand_still
  # What was there goes when all of the new is there: two histories of the same series do not mix.
  on_data 'rm -rf .restore && mkdir .restore && tar -xzf - -C .restore && rm -rf ./* && mv .restore/* . && rm -rf .restore ||
    { rm -rf .restore && false; }' <"$file" || fail 1 "the data could not be restored from \"$file\"; what was there was kept."
  say "Prometheus has the data of $file.$([ -n "$was_running" ] || echo ' Start it with: make up')"
}

case $command in
  backup | restore) [ -n "$file" ] || fail 2 'FILE: expected the name of a file, got "".' "$usage" ;;
  *) fail 2 "expected \"backup\" or \"restore\", got \"$command\"." "$usage" ;;
esac
require_own_project
trap 'finish; forget_step_log' EXIT
take_lock "make $command"
ensure_base_images
"$command"
