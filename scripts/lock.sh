# One command at a time changes a stack. Sourced after console.sh and settings.sh, never run. The lock is flock(2)'s, on a file of
# this clone: the kernel gives it back however a command ends, and not while a program that the command has started is still at work.

# take_lock COMMAND: until this script ends; status 4 when another command has it.
take_lock() {
  lock=$root/.cache/$COMPOSE_PROJECT_NAME.lock
  # A checkout that is read-only has nothing to write the name of a command into.
  { mkdir -p "$root/.cache" && : >>"$lock"; } 2>/dev/null || lock=$root/docker-compose.yml
  exec 9<"$lock"
  # Without waiting. macOS has no program of that name, but a Perl.
  if command -v flock >/dev/null; then flock -n 9; else perl -e 'use Fcntl ":flock"; open(L, "<&=9") && flock(L, LOCK_EX | LOCK_NB) or exit 1'; fi ||
    fail 4 "another command is changing this stack$(sed -n '1s/^make /: &/p' "$lock")." 'Nothing was done. When it has ended, run this again.'
  [ "$lock" = "$root/docker-compose.yml" ] || echo "$1 (process $$)" >"$lock"
}
