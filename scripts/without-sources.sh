#!/bin/sh
# without-sources.sh FOLDER...: removes files that only developers need from built programs and packages: source maps, typings and other
# TypeScript, documents, tests. Licences stay. Called by the Dockerfile.
set -eu
find "$@" -type d \( -name test -o -name tests -o -name benchmark -o -name benchmarks \) -path '*/node_modules/*' -prune -exec rm -rf {} +
find "$@" -type f -path '*/node_modules/*' \( -name '*.map' -o -name '*.ts' -o -name '*.cts' -o -name '*.mts' -o -name '*.md' \) -delete
find "$@" -type f -path '*/dist/*' \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.tsbuildinfo' \) -delete
