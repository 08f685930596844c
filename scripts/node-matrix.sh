#!/bin/sh
# Runs the unit tests of both packages with each supported version of Node and every Express: `node-matrix.sh [VERSION...]`.
# npm's package `node` provides the versions; unavailable ones are skipped with a message.
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/console.sh"
cd "$root" && npm run --silent package || exit 1
[ $# -gt 0 ] || set -- 20.19 22 24 26
failed=''
for version; do
  with_node() { npx --yes --package "node@$version" -- node "$@"; }
  with_node --version >&2 || { say "Skipped: Node $version, because npm could not install it." && continue; }
  # @prometheus-io/client needs Node 22, and so does the load generator.
  case $version in 20*) set -- instrumentation/test --selectProjects ;; *) set -- instrumentation/test loadgen/test --selectProjects unit ;; esac
  with_node --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js \
    --errorOnDeprecated "$@" prom-client || failed="$failed $version"
done
[ -z "$failed" ] || fail 1 "the tests failed with Node$failed."
