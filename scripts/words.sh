#!/bin/sh
# words.sh PATTERN TEXT COMMAND...: runs COMMAND with the words of PATTERN and TEXT behind its own. xargs takes them apart: words end at
# white space, quotes and backslashes keep it, and nothing is expanded or executed. A PATTERN that names a file is one word, whatever
# its name holds. Exit status: COMMAND's; 2 where a quote has no end.
set -uf
pattern=$1 text=$2
shift 2
if [ -e "$pattern" ]; then set -- "$@" "$pattern"; else text="$pattern $text"; fi
words=$(printf '%s\n' "$text" | xargs -n 1 printf '%s\n' 2>/dev/null) ||
  { printf 'error: expected words with an end to each quote, got: %s\n' "${text# }" >&2 && exit 2; }
IFS='
'
# shellcheck disable=SC2086 # a word a line
exec "$@" $words
