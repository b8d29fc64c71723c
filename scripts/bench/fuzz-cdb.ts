// Random and mutated CDBs to the device server: node --import tsx scripts/bench/fuzz-cdb.ts [--count N] [--seed S]
import { parseArgs } from 'node:util';
import { Fuzz } from '../../boards/shelf/fuzz/fuzz.ts';
import { hostNanoseconds } from '../host-clock.ts';

const PART = 1_000_000;
const { values } = parseArgs({
  options: { count: { type: 'string', default: '100000000' }, seed: { type: 'string', default: '1' } },
});
const count = Number(values.count);
const seed = Number(values.seed);
if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed) || seed < 0) {
  console.error('usage: fuzz-cdb.ts [--count N] [--seed S], both whole numbers');
  process.exit(2);
}

const started = hostNanoseconds();
const fuzz = new Fuzz(seed);
try {
  for (let left = count; left > 0; left -= PART) fuzz.run(Math.min(PART, left));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
const seconds = Number(hostNanoseconds() - started) / 1e9;
console.log(
  JSON.stringify({
    seed,
    ...fuzz.tally,
    seconds: Number(seconds.toFixed(1)),
    per_second: Math.round(count / seconds),
  }),
);
