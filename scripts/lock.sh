# One command at a time changes a stack. Sourced after console.sh and settings.sh, never run. The lock is flock(2)'s, on a file of
# this clone: the kernel gives it back however a command ends, and not while a program that the command has started is still at work.

# take_lock COMMAND: until this script ends; status 4 when another command has it.
take_lock() {
  lock=$root/.cache/${COMPOSE_PROJECT_NAME:-observability-stack}.lock
  mkdir -p "$root/.cache" 2>/dev/null
  (: >>"$lock") 2>/dev/null || fail 1 "the lock file $lock cannot be written." 'Does it belong to another user?'
  exec 9>>"$lock"
  # Without waiting. macOS has no program of that name, but a Perl.
  if command -v flock >/dev/null; then flock -n 9; else perl -e 'use Fcntl ":flock"; open(L, ">&=9") && flock(L, LOCK_EX | LOCK_NB) or exit 1'; fi ||
    fail 4 "another command is changing this stack: $(cat "$lock")." 'Nothing was done. When it has ended, run this again.'
  echo "$1 (process $$)" >"$lock"
}
