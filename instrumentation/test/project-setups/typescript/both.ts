// Registries that the package accepts where both client libraries are installed; compiled, never run.

import cluster from 'node:cluster';
import express from 'express';
import { instrument, type Metrics } from 'express-exact-metrics';
import { type Aggregate, type AggregateOptions, aggregate } from 'express-exact-metrics/cluster';
import { Counter, Registry } from 'prom-client';

const metrics: Metrics<Registry> = instrument(express(), { registry: new Registry() });
const options: AggregateOptions<Registry> = { registry: new Registry() };
const all: Aggregate<Registry> = aggregate(cluster, options);
const registers = [metrics.registry, all.registry];
new Counter({ name: 'forks_total', help: 'Forks', registers }).inc();
