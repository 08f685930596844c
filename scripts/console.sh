# How the scripts speak: plain lines in a log file, one moving line a step on a terminal. Sourced, never run.
# Everything here goes to stderr; stdout belongs to what a command answers (a verification table, a report).

if [ -t 2 ] && [ "${TERM:-dumb}" != dumb ]; then on_terminal=1; else on_terminal=0; fi

say() { printf '%s\n' "$*" >&2; }

# fail STATUS MESSAGE...: one message, its further lines indented, and the end.
fail() {
  status=$1
  shift
  printf 'error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit "$status"
}

# run_step TITLE COMMAND...: runs COMMAND with its output kept aside, shows that time passes, and shows the last lines of
# the output only where it failed. Returns COMMAND's status; the output stays readable in $step_log until the next step.
run_step() {
  title=$1
  shift
  step_log=${step_log:-$(mktemp "${TMPDIR:-/tmp}/observability-stack.XXXXXX")}
  : >"$step_log"
  started=$(date +%s)
  "$@" >"$step_log" 2>&1 </dev/null &
  pid=$!
  trap 'kill_tree "$pid"; wait "$pid" 2>/dev/null; rm -f "$step_log"; say ""; fail 130 "interrupted while: $title"' INT TERM
  [ "$on_terminal" = 1 ] || printf -- '- %s ...\n' "$title" >&2
  next_sign=15
  while kill -0 "$pid" 2>/dev/null; do
    elapsed=$(($(date +%s) - started))
    if [ "$on_terminal" = 1 ]; then
      # Cut to the terminal's width: a line that wraps cannot be written over.
      line=$(printf -- '- %s ... %s s  %s' "$title" "$elapsed" "$(last_line)" | cut -c "1-$(terminal_width)")
      printf '\r\033[K%s' "$line" >&2
    elif [ "$elapsed" -ge "$next_sign" ]; then
      next_sign=$((2 * next_sign))
      line=$(last_line)
      printf '  still running after %s s%s\n' "$elapsed" "${line:+: $line}" >&2
    fi
    sleep 0.2
  done
  status=0
  wait "$pid" || status=$?
  trap 'fail 130 interrupted.' INT TERM
  elapsed=$(($(date +%s) - started))
  [ "$on_terminal" = 1 ] && printf '\r\033[K' >&2
  if [ "$status" = 0 ]; then
    if [ "$on_terminal" = 1 ]; then
      printf -- '- %s: done in %s s\n' "$title" "$elapsed" >&2
    elif [ "$elapsed" -ge 3 ]; then
      printf '  done in %s s\n' "$elapsed" >&2
    fi
  else
    lines=$(tail -n "${STEP_TAIL:-20}" "$step_log" | sed 's/^/    /')
    printf -- '- %s: failed after %s s (status %s).%s\n' "$title" "$elapsed" "$status" "${lines:+ Its last lines:
$lines}" >&2
  fi
  return "$status"
}

# at_once COMMAND WORD...: runs COMMAND with each WORD, all at the same time. Fails when one of them does.
at_once() {
  command_for_each=$1
  shift
  jobs=''
  for word in "$@"; do
    "$command_for_each" "$word" &
    jobs="$jobs $!"
  done
  result=0
  for job in $jobs; do wait "$job" || result=1; done
  return "$result"
}

# The newest output line of the running step, without control characters.
last_line() { tail -n 1 "$step_log" 2>/dev/null | tr '\r' '\n' | tail -n 1 | tr -d '\000-\037' | cut -c 1-100; }

terminal_width() {
  columns=$(stty size <&2 2>/dev/null | cut -d ' ' -f 2)
  # 0 is what a pseudo-terminal says that nobody has given a size.
  [ "${columns:-0}" -gt 1 ] || columns=80
  echo $((columns - 1))
}

# A background command of a script does not get the terminal's Ctrl-C, nor do the programs that it started.
kill_tree() {
  for child in $(children_of "$1"); do kill_tree "$child"; done
  kill "$1" 2>/dev/null
}

# pgrep is not on every machine (Debian's minimal one has none), nor is /proc (macOS).
children_of() {
  if command -v pgrep >/dev/null 2>&1; then
    pgrep -P "$1"
    return 0
  fi
  for stat in /proc/[0-9]*/stat; do
    # The name of the program, in brackets, may hold anything; behind it come the state and the parent.
    { read -r line <"$stat"; } 2>/dev/null || continue
    # shellcheck disable=SC2086 # a list of words
    set -- "$1" ${line##*) }
    [ "$3" != "$1" ] || { stat=${stat%/stat} && echo "${stat##*/}"; }
  done
}

is_running_program() {
  if command -v pgrep >/dev/null 2>&1; then
    pgrep -x "$1" >/dev/null
    return
  fi
  grep -qx "$1" /proc/[0-9]*/comm 2>/dev/null
}

forget_step_log() { [ -z "${step_log:-}" ] || rm -f "$step_log"; }
trap forget_step_log EXIT
# Between two steps. A shell that a signal ends would leave out its trap of EXIT.
trap 'fail 130 interrupted.' INT TERM
