"""Reads OpenMetrics from standard input and prints every sample as one line of JSON: name, labels, value, type, exemplar."""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

for family in text_string_to_metric_families(sys.stdin.read()):
    for sample in family.samples:
        exemplar = sample.exemplar and [sample.exemplar.labels, sample.exemplar.value]
        print(json.dumps([sample.name, sample.labels, sample.value, family.type, exemplar]))
