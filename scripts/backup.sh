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
[ -n "$file" ] || fail 2 'expected the name of a file, got nothing.' "$usage"

container() { compose ps --all --quiet prometheus 2>/dev/null; }

# on_data WORDS...: a shell that sees nothing but Prometheus' folder, as its owner.
on_data() {
  docker run --rm --interactive --network none --read-only --cap-drop ALL --user 65534:65534 \
    --volumes-from "$(container)" --entrypoint sh "$NODE_IMAGE" -c "cd /prometheus && $1"
}

stand_still() {
  was_running=$(compose ps --quiet --status running prometheus 2>/dev/null)
  [ -z "$was_running" ] || run_step 'stopping Prometheus' compose stop prometheus || fail 1 'Prometheus could not be stopped.'
}
go_on() { [ -z "$was_running" ] || run_step 'starting Prometheus' compose start prometheus || fail 1 'Prometheus could not be started.'; }

backup() {
  [ ! -e "$file" ] || fail 2 "expected a file that is not there yet, got $file."
  [ -n "$(container)" ] || fail 3 'there is no Prometheus to back up.' 'Start it with: make up'
  stand_still
  status=0
  on_data 'tar -czf - .' >"$file.part" && mv "$file.part" "$file" || status=1
  go_on
  [ "$status" = 0 ] || { rm -f "$file.part" && fail 1 "the data could not be written to $file."; }
  say "Prometheus' data: $file, $(($(wc -c <"$file") / 1024)) kB"
}

restore() {
  tar -tzf "$file" ./wal >/dev/null 2>&1 || fail 2 "expected a file that make backup has written, got $file."
  [ -n "$(container)" ] || run_step 'creating Prometheus' compose up --no-start --no-build --no-deps prometheus || fail 1 'Prometheus could not be created.'
  stand_still
  # What was there is gone: two histories of the same series do not mix.
  on_data 'rm -rf ./* && tar -xzf -' <"$file" || fail 1 "the data could not be restored from $file. Prometheus is stopped."
  go_on
  say "Prometheus has the data of $file.$([ -n "$was_running" ] || echo ' Start it with: make up')"
}

engine_answers || fail 3 'no container engine answers.' 'Start everything with: make up'
take_lock "make $command"
ensure_base_images
case $command in
  backup) backup ;;
  restore) restore ;;
  *) fail 2 "expected \"backup\" or \"restore\", got \"$command\"." "$usage" ;;
esac
