# Output of the scripts. It goes to stderr, because stdout is for the result of a command (a verification table, a report). Sourced.

say() { printf '%s\n' "$*" >&2; }

# fail STATUS MESSAGE LINE...: prints an error with further lines indented, and exits.
fail() {
  status=$1
  printf 'error: %s\n' "$2" >&2
  shift 2
  [ $# -eq 0 ] || printf '       %s\n' "$@" >&2
  exit "$status"
}

# run_step TITLE COMMAND...: runs COMMAND, shows progress, and prints the last lines of its output only if it fails. Returns COMMAND's
# status; the output stays in $step_log until the next step. Variables that COMMAND sets are lost.
run_step() {
  title=$1 && shift
  step_log=${step_log:-$(mktemp "${TMPDIR:-/tmp}/observability-stack.XXXXXX")}
  started=$(date +%s)
  say "- $title ..."
  show_progress 9>&- &
  progress=$!
  ("$@") >"$step_log" 2>&1 </dev/null
  status=$?
  end_progress
  [ "$status" != 130 ] || fail 130 "interrupted while: $title."
  elapsed=$(($(date +%s) - started))
  [ "$status" = 0 ] || say "- $title: failed after $elapsed s (status $status).$(last_lines ' Its last lines:' <"$step_log")"
  [ "$status" != 0 ] || [ "$elapsed" -lt 3 ] || say "  done in $elapsed s"
  return "$status"
}

# wait_until SECONDS COMMAND...: runs COMMAND once a second until it succeeds, for at most SECONDS.
wait_until() {
  end=$(($(date +%s) + $1)) && shift
  until "$@"; do [ "$(date +%s)" -lt "$end" ] && sleep 1 || return 1; done
}

# last_lines HEADING: prints the end of standard input, indented below the heading; prints nothing if the input is empty.
last_lines() {
  lines=$(tail -n "${STEP_TAIL:-20}" | sed 's/^/    /')
  [ -z "$lines" ] || printf '%s\n%s' "$1" "$lines"
}

# Prints the newest line of the step's output every 15 s, without control characters.
show_progress() {
  seconds=0
  while sleep 1 >/dev/null 2>&1; do
    seconds=$((seconds + 1))
    [ $((seconds % 15)) = 0 ] || continue
    newest=$(tail -n 1 "$step_log" | tr '\r' '\n' | tail -n 1 | tr -d '\000-\037' | cut -c 1-100)
    say "  still running after $seconds s${newest:+: $newest}"
  done
}

progress=''
end_progress() {
  # During cleanup a script ignores other signals, and so do its children.
  [ -z "$progress" ] || { kill -KILL "$progress" && wait "$progress"; } 2>/dev/null
  progress=''
}
tidy_console() { end_progress && rm -rf "${step_log:-}" "${suite_folder:-}"; }
trap tidy_console EXIT
# Without this trap, a shell killed by a signal would skip its EXIT trap.
trap 'fail 130 "interrupted${progress:+ while: $title}."' INT TERM
