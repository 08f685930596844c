#!/bin/sh
# words-of.sh PID WORD: what follows WORD on the command line of the process PID, as it was typed. For the targets of the
# Makefile whose arguments make itself would misread.
if [ -r "/proc/$1/cmdline" ]; then
  tr '\0' ' ' <"/proc/$1/cmdline"
else
  # macOS has no /proc.
  ps -ww -o args= -p "$1"
fi | awk -v word=" $2 " '
  { line = line (NR > 1 ? "\n" : "") $0 }
  END {
    begin = index(line, word)
    text = begin ? substr(line, begin + length(word)) : ""
    sub(/[ \n]+$/, "", text)
    print text
  }'
