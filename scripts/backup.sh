#!/bin/sh
# Saves and restores Prometheus' data: `backup.sh backup FILE`, `backup.sh restore FILE`. Stops Prometheus for a few seconds, so that its
# files are consistent; requests that the API counts meanwhile are in the next scrape. Exit status as in stack.sh.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/common.sh"

usage='usage: make backup FILE=prometheus.tgz, make restore FILE=prometheus.tgz'
command=${1:-} file=${2:-}
case $file in -*) file=./$file ;; esac

container() { compose ps --all --quiet prometheus 2>/dev/null; }

# on_data COMMAND: runs a shell command in Prometheus' data folder, as the owner of the data and without access to anything else.
on_data() {
  docker run --rm --interactive --network none --read-only --cap-drop ALL --user 65534:65534 \
    --volumes-from "$(container)" --entrypoint sh "$NODE_IMAGE" -c "cd /prometheus && $1"
}

part='' was_running=''
stop_prometheus() {
  ! is_running prometheus || was_running=1
  [ -z "$was_running" ] || run_step 'stopping Prometheus' compose stop prometheus || fail 1 'Prometheus could not be stopped.'
}

# Whether the command succeeds or not, restarts Prometheus and removes a partial file.
finish() {
  trap '' INT TERM
  [ -z "$part" ] || rm -f "$part"
  [ -z "$was_running" ] ||
    run_step 'starting Prometheus' compose up --detach --no-build --no-deps --no-recreate --wait --wait-timeout 120 prometheus ||
    fail 1 'Prometheus could not be started.'
  tidy_console
}

# gzip or tar rejects a truncated file.
is_whole() {
  names=$(gzip -t "$1" 2>/dev/null && tar -tzf "$1" 2>/dev/null) || return 1
  for name in ./chunks_head/ ./wal/; do printf '%s\n' "$names" | grep -qxF "$name" || return 1; done
}

backup() {
  [ ! -e "$file" ] || fail 2 "FILE: expected a file that does not exist yet, got \"$file\"."
  [ -d "$(dirname -- "$file")" ] || fail 2 "FILE: expected a file in an existing folder, got \"$file\"."
  [ -n "$(container)" ] || fail 3 'there is no Prometheus to back up.' 'Start it with: make up'
  reason=$(mktemp "$file.part.XXXXXX" 2>&1) && part=$reason || fail 1 "\"$file\" cannot be written: $reason"
  stop_prometheus
  on_data 'tar -czf - .' >"$part" && is_whole "$part" && mv "$part" "$file" || fail 1 "the data could not be written to \"$file\"; the partial file was removed."
  say "Prometheus' data: $file, $(($(wc -c <"$file") / 1024)) kB"
}

restore() {
  is_whole "$file" || fail 2 "FILE: expected a complete file from make backup, got \"$file\"."
  claim_data
  [ -n "$(container)" ] || run_step 'creating Prometheus' compose up --no-start --no-build --no-deps prometheus || fail 1 'Prometheus could not be created.'
  stop_prometheus
  # Removes the old data only after unpacking the new data completely, because two histories of the same series must not mix.
  on_data 'rm -rf .restore && mkdir .restore && tar -xzf - -C .restore && rm -rf ./* && mv .restore/* . && rm -rf .restore ||
    { rm -rf .restore && false; }' <"$file" || fail 1 "the data could not be restored from \"$file\"; the previous data was kept."
  say "Prometheus now has the data of $file.$([ -n "$was_running" ] || echo ' Start it with: make up')"
}

case $command in
  backup | restore) [ -n "$file" ] || fail 2 'FILE: expected the name of a file, got "".' "$usage" ;;
  *) fail 2 "expected \"backup\" or \"restore\", got \"$command\"." "$usage" ;;
esac
require_own_project
trap finish EXIT
take_lock "make $command"
ensure_images
"$command"
