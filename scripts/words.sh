#!/bin/sh
# words.sh PATTERN TEXT COMMAND...: runs COMMAND with the words of PATTERN and TEXT behind its own. Words end at white space;
# '...' and "..." keep what is in them together, and nothing else is special: nothing is expanded or executed. A PATTERN
# that names a file is one word, whatever its name holds.
# Exit status: COMMAND's; 2 where a quote has no end.
set -u
pattern=$1 rest=$2
shift 2
if [ -e "$pattern" ]; then set -- "$@" "$pattern"; else rest="$pattern $rest"; fi
text=${rest# }
space=' 	
'
while rest=${rest#"${rest%%[!"$space"]*}"} && [ -n "$rest" ]; do
  word=''
  while [ -n "${rest%%["$space"]*}" ]; do
    case $rest in
      \'*\'* | \"*\"*) quote=${rest%"${rest#?}"} && rest=${rest#?} && part=${rest%%"$quote"*} && rest=${rest#*"$quote"} ;;
      [\'\"]*) printf 'error: expected words with an end to each quote, got: %s\n' "$text" >&2 && exit 2 ;;
      *) part=${rest%%["$space"\'\"]*} && rest=${rest#"$part"} ;;
    esac
    word=$word$part
  done
  set -- "$@" "$word"
done
exec "$@"
