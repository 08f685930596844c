#!/bin/sh
# What is known of the dependencies: `supply.sh audit` asks the registry for flaws of level high and above, `supply.sh sbom` writes a
# CycloneDX bill of materials from the lock file, by npm itself, into reports/sbom.json (tools for development are marked as such in it).
# Exit status: 0 none, or it could not be asked, which is said; 1 flaws were found, or the bill could not be written.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/console.sh"
cd "$root" || exit 1

audit() {
  answer=$(npm audit --json --audit-level high 2>/dev/null) && {
    say 'No flaw of level high or above is known in the dependencies.'
    return 0
  }
  case $answer in
    *'"vulnerabilities"'*) npm audit --audit-level high >&2 && return 0 || fail 1 'flaws of level high or above are known, see above.' ;;
  esac
  reason=$(printf '%s' "$answer" | sed -n 's/^ *"\(message\|summary\)": "\(.*\)",*$/\2/p' | head -n 1)
  say "Left out: the known flaws of dependencies; the registry does not answer (${reason:-no reason given})."
}

sbom() {
  folder=${REPORTS_FOLDER:-$root/reports}
  mkdir -p "$folder" &&
    npm sbom --sbom-format cyclonedx --sbom-type application --package-lock-only >"$folder/sbom.json.part" &&
    mv "$folder/sbom.json.part" "$folder/sbom.json" || {
    rm -f "$folder/sbom.json.part"
    fail 1 "the bill of materials could not be written to $folder."
  }
  say "The bill of materials: $folder/sbom.json"
}

case ${1:-} in
  audit) audit ;;
  sbom) sbom ;;
  *) fail 2 "expected \"audit\" or \"sbom\", got \"${1:-}\"." 'usage: scripts/supply.sh audit | sbom' ;;
esac
