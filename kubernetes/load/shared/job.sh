#!/bin/sh
# job.sh run|combine|verify: the load generator in a pod. Settings come as variables: PATTERN, ARGS, SHARDS, START_AT.
# Reports leave by the log, each as one line of base64 behind its name: shards run on many nodes, and no storage that several
# nodes may write to exists everywhere. A report comes in as NAME.json.gz of a ConfigMap mounted at /reports.
set -f
work=/tmp

# run_generator WORDS...: in the background, so that a signal reaches it and not only this shell.
run_generator() {
  node /srv/loadgen/dist/main.js "$@" &
  generator=$!
  trap 'kill -TERM "$generator"' TERM INT
  wait "$generator"
  status=$?
  # A signal ends the first wait and not the generator, which still waits for what is in flight.
  while kill -0 "$generator" 2>/dev/null; do
    wait "$generator"
    status=$?
  done
}

hand_out() { [ ! -s "$work/$1" ] || printf '%s:%s\n' "$1" "$(gzip -9 -c "$work/$1" | base64 -w 0)"; }

# The mounted reports, unpacked, in the order of their names.
unpack() {
  set +f
  mkdir -p "$work/in"
  for file in /reports/*.json.gz; do
    [ -e "$file" ] || continue
    name=${file##*/}
    gzip -dc "$file" >"$work/in/${name%.gz}" || exit 1
  done
}

prometheus='--prometheus http://prometheus:9090'
status=0
# shellcheck disable=SC2086 # lists of words
case $1 in
  run)
    # So that a mistake in a file is reported under a name that the user knows.
    cd /patterns || exit 1
    # `make k8s-load` gives one word a line; a line of several is split at spaces.
    case $ARGS in *"
"*) IFS='
' ;; esac
    set -- $PATTERN $ARGS
    unset IFS
    run_generator run "$@" --target http://api:5001 $prometheus --json "$work/report.json" \
      --shard "$((JOB_COMPLETION_INDEX + 1))/$SHARDS" ${START_AT:+--start-at "$START_AT"}
    ;;
  combine)
    unpack
    run_generator combine "$work"/in/*.json $prometheus --json "$work/report.json" --html "$work/page.html"
    ;;
  verify)
    unpack
    run_generator verify "$work"/in/*.json $prometheus
    ;;
  *)
    echo "job.sh: expected run, combine or verify, got \"$1\"" >&2
    exit 2
    ;;
esac
hand_out report.json
hand_out page.html
exit "$status"
