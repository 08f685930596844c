#!/bin/sh
# job.sh run|combine|verify: the load generator in a pod. Settings come as variables: PATTERN, ARGS, SHARDS, START_AT.
# Reports leave by the log, each as one line of base64 behind its name: shards run on many nodes, and no storage that several
# nodes may write to exists everywhere. A report comes in as NAME.json.gz of a ConfigMap mounted at /reports.
work=/tmp
command=$1
case $command in
  run)
    # So that a mistake in a file is reported under a name that the user knows.
    cd /patterns || exit 1
    # `make k8s-load` gives one word a line; a line of several is split at spaces. Nothing in them is expanded.
    case $ARGS in *"
"*) IFS='
' ;; esac
    set -f
    # shellcheck disable=SC2086 # lists of words
    set -- $PATTERN $ARGS
    unset IFS
    set -- "$@" --target http://api:5001 --shard "$((JOB_COMPLETION_INDEX + 1))/$SHARDS" ${START_AT:+--start-at "$START_AT"}
    ;;
  *)
    # The reports, unpacked, in the order of their names.
    mkdir -p "$work/in" && for file in /reports/*.json.gz; do
      name=${file##*/}
      [ ! -e "$file" ] || gzip -dc "$file" >"$work/in/${name%.gz}" || exit 1
    done
    set -- "$work"/in/*.json
    [ "$command" != combine ] || set -- "$@" --html "$work/page.html"
    ;;
esac
[ "$command" = verify ] || set -- "$@" --json "$work/report.json"

# In the background, so that a signal reaches the generator and not only this shell.
node /srv/loadgen/dist/main.js "$command" "$@" --prometheus http://prometheus:9090 &
generator=$!
trap 'kill -TERM "$generator"' TERM INT
wait "$generator"
status=$?
# A signal ends the first wait and not the generator, which still waits for what is in flight.
while kill -0 "$generator" 2>/dev/null; do
  wait "$generator"
  status=$?
done
for name in report.json page.html; do
  [ ! -s "$work/$name" ] || printf '%s:%s\n' "$name" "$(gzip -9 -c "$work/$name" | base64 -w 0)"
done
exit "$status"
