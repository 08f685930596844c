# One command at a time changes a stack. Sourced after console.sh and settings.sh, never run. The lock is flock(2)'s: the kernel
# gives it back however a command ends, and not while a program that the command has started is still at work.

lock_file=${TMPDIR:-/tmp}/${COMPOSE_PROJECT_NAME:-observability-stack}.lock
holds_lock=''

# Of file descriptor 9, without waiting. macOS has no program of that name, but a Perl.
try_lock() {
  if command -v flock >/dev/null 2>&1; then
    flock -n 9
  else
    perl -e 'use Fcntl ":flock"; open(LOCK, ">&=9") && flock(LOCK, LOCK_EX | LOCK_NB) or exit 1'
  fi
}

# take_lock COMMAND: until this script ends, which then calls forget_lock; status 4 when another one has it.
take_lock() {
  (: >>"$lock_file") 2>/dev/null || fail 1 "the lock file $lock_file cannot be written." 'Does it belong to somebody else? TMPDIR names another folder.'
  while :; do
    exec 9>>"$lock_file"
    try_lock || {
      holder=$(cat "$lock_file" 2>/dev/null)
      fail 4 "another command is changing this stack${holder:+: $holder}." 'Nothing was done. When it has ended, run this again.'
    }
    # Whoever held it has removed the file: what is locked now may be one that nobody else will find.
    [ "$lock_file" -ef /dev/fd/9 ] && break
  done
  holds_lock=1
  # Between two steps as well: the file goes when this script ends.
  on_signal='fail 130 interrupted.'
  trap "$on_signal" INT TERM
  echo "$1 (process $$)" >"$lock_file"
}

forget_lock() { [ -z "$holds_lock" ] || rm -f "$lock_file"; }
