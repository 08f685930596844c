# How the scripts report: to stderr, because stdout belongs to what a command answers (a verification table, a report). Sourced.

say() { printf '%s\n' "$*" >&2; }

# fail STATUS MESSAGE LINE...: an error with its further lines indented, and the end.
fail() {
  status=$1
  printf 'error: %s\n' "$2" >&2
  shift 2
  [ $# -eq 0 ] || printf '       %s\n' "$@" >&2
  exit "$status"
}

# run_step TITLE COMMAND...: runs COMMAND, shows that time passes, and shows the last lines of its output only where it failed.
# Returns COMMAND's status; the output stays in $step_log until the next step. Variables that COMMAND sets are lost.
run_step() {
  title=$1
  shift
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

# last_lines HEADING: the end of standard input, indented below the heading; nothing where there is none.
last_lines() {
  lines=$(tail -n "${STEP_TAIL:-20}" | sed 's/^/    /')
  [ -z "$lines" ] || printf '%s\n%s' "$1" "$lines"
}

# Every 15 s the newest line of the step's output, without control characters.
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
  # A script that cleans up ignores other signals, and so do its children.
  [ -z "$progress" ] || { kill -KILL "$progress" && wait "$progress"; } 2>/dev/null
  progress=''
}
tidy_console() { end_progress && rm -f "${step_log:-}"; }
trap tidy_console EXIT
# Without this, a shell that a signal ends would leave out its EXIT trap.
trap 'fail 130 "interrupted${progress:+ while: $title}."' INT TERM
