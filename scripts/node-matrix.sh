#!/bin/sh
# The unit tests of both packages under each version of Node that they support, against every Express: `node-matrix.sh [VERSION...]`.
# npm's package `node` brings the versions; one that cannot be had is reported as left out.
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/console.sh"
cd "$root" || exit 1
[ $# -gt 0 ] || set -- 20.19 22 24 26

npm run --silent package || exit 1
rows='' failed=0
for version; do
  if node=$(npx --yes --package "node@$version" -- node -p process.execPath) && [ -x "$node" ]; then
    # The successor of prom-client needs Node 22, and so does the load generator.
    case $version in 20*) projects=unit tests=instrumentation/test ;; *) projects='unit successor' tests='instrumentation/test loadgen/test' ;; esac
    say "== Node $("$node" --version), tests: $tests, projects: $projects"
    # shellcheck disable=SC2086 # lists of words
    PATH=$(dirname "$node"):$PATH "$node" --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js \
      $tests --selectProjects $projects --errorOnDeprecated && result=passed || { result=FAILED && failed=1; }
    rows="$rows
$("$node" --version): $result"
  else
    rows="$rows
$version: left out, because npm could not bring it"
  fi
done
say "$rows"
exit "$failed"
