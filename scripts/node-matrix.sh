#!/bin/sh
# The unit tests of the package under each version of Node that it supports, against every Express: `node-matrix.sh [VERSION...]`. npm's
# package `node` brings the versions; one that cannot be had is reported as left out.
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/console.sh"
cd "$root" || exit 1
[ $# -gt 0 ] || set -- 20.19 22 24 26

npm run --silent package || exit 1
rows='' failed=0
for version; do
  if node=$(npx --yes --package "node@$version" -- node -p process.execPath) && [ -x "$node" ]; then
    # @prometheus-io/client needs Node 22.
    case $version in 20*) projects=prom-client ;; *) projects='unit prom-client' ;; esac
    say "== Node $("$node" --version), projects: $projects"
    # shellcheck disable=SC2086 # a list of words
    PATH=$(dirname "$node"):$PATH "$node" --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js \
      instrumentation/test --selectProjects $projects --errorOnDeprecated && result=passed || { result=FAILED && failed=1; }
    rows="$rows
$("$node" --version): $result"
  else
    rows="$rows
$version: left out, because npm could not bring it"
  fi
done
say "$rows"
exit "$failed"
