# A container engine for a machine that has none: the distribution's, on Debian and Ubuntu, as root. Left out: any other
# distribution, and rootless engines. Sourced by prepare.sh.

may_start_engine() { ! is_refused && [ -z "$(chosen_engine)" ] && may_install; }

install_engine() {
  may_start_engine ||
    refuse_engine 'Install and start Docker Engine 20.10 or newer (https://docs.docker.com/engine/install/), then run this again.' "$how_to_install"
  command -v dockerd >/dev/null 2>&1 || apt_install docker.io iptables ||
    fail 5 'Docker Engine could not be installed: the package archive must be reachable.'
  if [ -d /run/systemd/system ]; then
    run_step 'starting the container engine' systemctl start docker || fail 5 'systemctl start docker failed.'
  else
    say 'Starting the container engine (log: /var/log/dockerd.log).'
    # Left by one that was killed, they would stop the new one as soon as another process has the number in them.
    grep -qx dockerd /proc/[0-9]*/comm 2>/dev/null || rm -f /var/run/docker.pid /var/run/docker/containerd/containerd.pid
    # A session and a log file of its own: it outlives this script, and holds neither its output nor its lock open.
    setsid dockerd >>/var/log/dockerd.log 2>&1 </dev/null 9>&- &
  fi
  run_step 'waiting for the container engine' wait_for_engine || fail 5 'the container engine did not answer within 60 s.' \
    "$(tail -n 15 /var/log/dockerd.log 2>/dev/null)"
}
wait_for_engine() {
  for _ in $(seq 60); do ! engine_answers || return 0; sleep 1; done
  return 1
}

# install_plugin NAME: Debian 12 has neither compose nor buildx; those of a later suite run on it.
install_plugin() {
  if ! may_install; then
    :
  elif is_debian; then
    unpack_from_debian "docker-$1" /usr/local/lib/docker/cli-plugins
  else
    apt_install "docker-$1$([ "$1" = compose ] && echo -v2)"
  fi
  docker "$1" version >/dev/null 2>&1 || fail 3 "the Docker CLI has no \"$1\" plugin." \
    "Install it (https://docs.docker.com/$([ "$1" = compose ] && echo compose/install || echo build/install-buildx)/), then run this again." "$how_to_install"
}
