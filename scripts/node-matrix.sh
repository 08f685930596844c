#!/bin/sh
# Runs the unit tests of both packages with each supported version of Node and every Express: `node-matrix.sh [VERSION...]`.
# npm's package `node` provides the versions; unavailable ones are reported as skipped.
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/console.sh"
cd "$root" || exit 1
[ $# -gt 0 ] || set -- 20.19 22 24 26

npm run --silent package || exit 1
rows='' failed=0
for version; do
  if node=$(npx --yes --package "node@$version" -- node -p process.execPath) && [ -x "$node" ]; then
    # @prometheus-io/client needs Node 22, and so does the load generator.
    case $version in 20*) projects=prom-client tests=instrumentation/test ;; *) projects='unit prom-client' tests='instrumentation/test loadgen/test' ;; esac
    say "== Node $("$node" --version), tests: $tests, projects: $projects"
    # shellcheck disable=SC2086 # lists of words
    PATH=$(dirname "$node"):$PATH "$node" --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js \
      $tests --selectProjects $projects --errorOnDeprecated && result=passed || { result=FAILED && failed=1; }
    rows="$rows
$("$node" --version): $result"
  else
    rows="$rows
$version: skipped, because npm could not install it"
  fi
done
say "$rows"
exit "$failed"
