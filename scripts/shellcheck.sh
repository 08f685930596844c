#!/bin/sh
# Checks every shell script together with the files that it sources; skips the check if shellcheck is not installed.
cd "$(dirname "$0")/.." || exit 1
command -v shellcheck >/dev/null || { echo 'Skipped: shellcheck, which is not installed.' >&2 && exit 0; }
# SC2034: not every script uses all variables of the files that it sources.
grep -l '^#!' .ci/run scripts/*.sh scripts/*/*.sh prometheus/*.sh test/kubernetes/*.sh |
  xargs shellcheck --external-sources --check-sourced --severity warning --exclude SC2034
