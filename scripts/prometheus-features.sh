#!/bin/sh
# Prints the features that Prometheus of an image has to be started with, for its --enable-feature: those of .env, and native
# histograms, which are a feature up to 3.8 and a setting of prometheus.yml since.
# Usage: scripts/prometheus-features.sh IMAGE [FEATURES]. Exit status: 1 when the image does not say its version.
set -u
image=$1
features=${2-$(sed -n 's/^PROMETHEUS_FEATURES=//p' "$(dirname "$0")/../.env")}
version=$(docker run --rm --network none --entrypoint prometheus "$image" --version 2>&1 | sed -n 's/^prometheus, version \([0-9]*\.[0-9]*\).*/\1/p')
[ -n "$version" ] || exit 1
case ",$features," in *,native-histograms,*) echo "$features" && exit ;; esac
if [ "${version%.*}" -lt 3 ] || { [ "${version%.*}" -eq 3 ] && [ "${version#*.}" -le 8 ]; }; then
  features=$features${features:+,}native-histograms
fi
echo "$features"
