#!/bin/sh
# words.sh PATTERN TEXT COMMAND...: runs COMMAND and appends the words of PATTERN and TEXT. xargs splits them: words end at white space
# outside of quotes and backslashes, and nothing is expanded or executed. A PATTERN that names a file is one word, whatever characters
# its name has. Exit status: COMMAND's; 2 if a quote is not closed.
set -uf
pattern=$1 text=$2
shift 2
if [ -e "$pattern" ]; then set -- "$@" "$pattern"; else text="$pattern $text"; fi
words=$(printf '%s\n' "$text" | xargs -n 1 printf '%s\n' 2>/dev/null) ||
  { printf 'error: expected words with closed quotes, got: %s\n' "${text# }" >&2 && exit 2; }
IFS='
'
# shellcheck disable=SC2086 # one word per line
exec "$@" $words
