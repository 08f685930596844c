/**
 * What the machine itself adds: the same schedule kept by the same timers, with nothing sent. Prints, as JSON, by how
 * many milliseconds its moments were missed. Called with the rate per second and the number of seconds.
 */
const [ratePerSecond = 0, seconds = 0] = process.argv.slice(2).map(Number);
const count = ratePerSecond * seconds;
const lateMs: number[] = [];
const startMs = performance.now();

function keep(): void {
  const nowMs = performance.now() - startMs;
  for (;;) {
    const dueMs = (lateMs.length * 1000) / ratePerSecond;
    if (lateMs.length === count) break;
    if (dueMs > nowMs) {
      setTimeout(keep, dueMs - nowMs);
      return;
    }
    lateMs.push(nowMs - dueMs);
  }
  print();
}

function print(): void {
  const sorted = lateMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * count)];
  process.stdout.write(JSON.stringify({ p50: at(0.5), p99: at(0.99), 'p99.9': at(0.999) }));
}

keep();
