# Runs the load generator in its container, as the current user. Sourced.

reports=${REPORTS_FOLDER:-$root/reports}
prometheus='--prometheus http://prometheus:9090'
ledger='--ledger /var/lib/loadgen'

# generator COMMAND WORD...: mounts the current folder, the reports folder and the folders of all named files under the same paths, so
# that paths need no translation. Skips folders that would hide files of the image. The generator handles Ctrl-C itself: it stops
# sending, waits for requests in flight and prints a summary.
generator() {
  terminal=--no-TTY
  if [ -t 0 ] && [ -t 1 ] && [ -t 2 ]; then terminal=''; fi
  user=$(id -u):$(id -g)
  # In a rootless engine, user 0 is the user that runs the engine.
  case $(docker info --format '{{.SecurityOptions}}' 2>/dev/null) in *name=rootless*) user=0:0 ;; esac
  # Root may read and write other users' files, as it may outside of containers.
  case $user in 0:*) root_rights=DAC_OVERRIDE ;; *) root_rights='' ;; esac
  set -- loadgen "$@"
  shared=:
  for word in "$PWD/." "$reports/." "$@"; do
    case $word in --*=*) word=${word#*=} ;; -j?*) word=${word#-j} ;; esac
    link_target=''
    [ ! -L "$word" ] || link_target=$(readlink -f -- "$word")
    for folder in "$(cd "$(dirname -- "$word")" 2>/dev/null && pwd)" "${link_target%/*}"; do
      case $folder in
        '' | / | /dev* | /proc* | /sys* | /bin | /lib | /etc | /srv | /usr | /usr/bin | /usr/lib | /usr/local | /usr/local/bin | /var | /var/lib) continue ;;
        *:*) fail 2 "expected a folder without a colon in its name, because containers cannot mount it, got \"$folder\"." ;;
      esac
      case $shared in *":$folder:"*) continue ;; esac
      shared=$shared$folder:
      set -- --volume "$folder:$folder" "$@"
    done
  done
  trap : INT
  # shellcheck disable=SC2086 # nothing, or one word
  compose --progress quiet run --rm --no-deps --quiet-pull $terminal --user "$user" ${root_rights:+--cap-add "$root_rights"} \
    --workdir "$PWD" "$@"
}

prepare_reports() {
  { mkdir -p "$reports" && [ -w "$reports" ]; } 2>/dev/null ||
    fail 1 "the folder $reports, for reports of runs, is not writable." 'Choose another one: REPORTS_FOLDER=FOLDER'
}

# send WORD...: runs a load and writes its page, whose name sorts by time. Sets status, page and run_started.
send() {
  page=''
  case " $*" in
    *' --html'*) ;;
    *) page=$reports/$(date +%Y%m%d-%H%M%S).html && set -- "$@" --html "$page" ;;
  esac
  prepare_reports
  status=0
  run_started=$(date +%s)
  # shellcheck disable=SC2086 # lists of words
  generator run "$@" --target http://api:5001 $prometheus $ledger || status=$?
  [ ! -e "$page" ] || say "The run as a page: $page"
}
