# Installs the distribution's container engine on a machine without one, on Debian and Ubuntu, as root. Supports no other
# distributions and no rootless engines. Sourced by prepare.sh.

may_start_engine() { ! is_refused && [ -z "$(chosen_engine)" ] && may_install; }

install_engine() {
  may_start_engine ||
    refuse_engine 'Install and start Docker Engine 20.10 or newer (https://docs.docker.com/engine/install/), then run this again.' "$how_to_install"
  command -v dockerd >/dev/null 2>&1 || run_step 'installing Docker Engine, Compose and Buildx' install_docker ||
    fail 5 'Docker Engine could not be installed: the package archive must be reachable.'
  if [ -d /run/systemd/system ]; then
    run_step 'starting the container engine' systemctl start docker || fail 5 'systemctl start docker failed.'
  else
    say 'Starting the container engine (log: /var/log/dockerd.log).'
    # A killed engine leaves these files, and a new engine does not start if another process has the id in them.
    grep -qx dockerd /proc/[0-9]*/comm 2>/dev/null || rm -f /var/run/docker.pid /var/run/docker/containerd/containerd.pid
    # Runs in a separate session with a log file: the engine outlives this script and holds neither its output nor its lock open.
    setsid dockerd >>/var/log/dockerd.log 2>&1 </dev/null 9>&- &
  fi
  run_step 'waiting for the container engine' wait_until 60 engine_answers || fail 5 'the container engine did not answer within 60 s.' \
    "$(tail -n 15 /var/log/dockerd.log 2>/dev/null)"
}

# Installs engine and plugins in parallel; ensure_engine retries a plugin that fails here.
install_docker() {
  apt-get update || return 1
  # shellcheck disable=SC2046 # a list of words
  ! is_debian || unpack_programs "$plugin_folder" $(missing_plugins) &
  install_packages docker.io iptables
  installed=$?
  wait
  return "$installed"
}

plugin_folder=/usr/local/lib/docker/cli-plugins
missing_plugins() { for plugin in compose buildx; do docker "$plugin" version >/dev/null 2>&1 || echo "docker-$plugin"; done; }

# Debian 12 has neither Compose nor Buildx; the packages of a later suite run on it.
# shellcheck disable=SC2046 # lists of words
install_plugins() {
  if ! may_install; then
    :
  elif is_debian; then
    unpack_from_debian "$plugin_folder" $(missing_plugins)
  else
    apt_install $(missing_plugins | sed 's/compose/&-v2/')
  fi
  plugin=$(missing_plugins | head -n 1)
  case $plugin in '') return ;; *-compose) page=compose/install ;; *) page=build/install-buildx ;; esac
  fail 3 "the Docker CLI has no \"${plugin#docker-}\" plugin." \
    "Install it (https://docs.docker.com/$page/), then run this again." "$how_to_install"
}
