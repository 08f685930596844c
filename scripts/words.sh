#!/bin/sh
# words.sh PATTERN TEXT COMMAND...: runs COMMAND with the words of PATTERN and TEXT behind its own. Words end at white space;
# '...' and "..." keep what is in them together, and nothing else is special: nothing is expanded or executed. A PATTERN
# that names a file is one word, whatever its name holds.
# Exit status: COMMAND's; 2 where a quote has no end.
set -u
pattern=$1
rest=$2
shift 2
if [ -e "$pattern" ]; then set -- "$@" "$pattern"; else rest="$pattern $rest"; fi
text=$rest
space=' 	
'
while rest=${rest#"${rest%%[!"$space"]*}"} && [ -n "$rest" ]; do
  word=''
  while :; do
    case $rest in
      '' | ["$space"]*) break ;;
      \'*\'* | \"*\"*)
        quote=${rest%"${rest#?}"}
        rest=${rest#?}
        word=$word${rest%%"$quote"*}
        rest=${rest#*"$quote"}
        ;;
      [\'\"]*)
        printf 'error: expected words with an end to each quote, got: %s\n' "${text# }" >&2
        exit 2
        ;;
      *)
        plain=${rest%%["$space"\'\"]*}
        word=$word$plain
        rest=${rest#"$plain"}
        ;;
    esac
  done
  set -- "$@" "$word"
done
exec "$@"
