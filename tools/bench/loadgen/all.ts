/** All benchmarks of the load generator, one after the other; `--quick` is for all of them. */
await import('./throughput.ts');
await import('./constant-rate.ts');
await import('./stall.ts');
await import('./memory.ts');
