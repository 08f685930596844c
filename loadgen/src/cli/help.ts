/** What `--help` says besides the flags. */

export const EXIT_CODES_HELP = `
Exit codes:
  0    success
  1    a check or threshold failed, a worker was lost, a start was missed, or
       an output could not be written at the end (what was sent is shown)
  2    wrong usage, a mistake in a pattern file, or a file that cannot be read
       or written, reported before anything is sent
  3    the target or Prometheus could not be reached, or refuses the credentials
  130  interrupted (Ctrl-C): sending stops, what is in flight is waited for`;

export const RUN_HELP = `
Examples:
  $ loadgen run                                   the lab's requests to http://localhost:5001
  $ loadgen run steady --rate 500 --duration 10s  a built-in pattern, faster and shorter
  $ loadgen run steady --rate max -c 32           the closed loop: what can the target do?
  $ loadgen run ./checkout.yaml --threshold "p99<100ms"
  $ loadgen run mixed -p http://localhost:9090    with the verification
  $ loadgen run steady --rate 30000 --workers 4   from four processes

Latency counts from the moment at which a request should have left, so a target
that stalls cannot hide it. What finds no free connection is counted as dropped.`;

export const VERIFY_HELP = `
A request that did not come from the generator makes the verification fail and is named.
To go on from there, take what has been counted as given:
  $ loadgen verify --prometheus http://localhost:9090 --ledger <folder> --rebase`;

export const COMBINE_HELP = `
On two machines, one minute from now:
  $ loadgen run steady --shard 1/2 --start-at <time> --json 1.json
  $ loadgen run steady --shard 2/2 --start-at <time> --json 2.json
and then, on one of them:
  $ loadgen combine 1.json 2.json

Thresholds are about the whole, so only combine checks them. For the verification give --prometheus to the shards, which then
read what had been counted before them, and to combine. It needs one report of every shard: what a missing one sent is
not known.`;
