import { suite } from 'uvu';
import { type Row, OLD, again, confirmed, forced, reverted, sweep } from './power.test-helper.ts';

const test = suite('power cut');

const ROWS: readonly Row[] = [
  { name: 'an update that is confirmed', old: OLD, story: confirmed, ends: 2 },
  { name: 'an update that is reverted', old: OLD, story: reverted, ends: 1 },
  { name: 'an update without a trial', old: OLD, story: forced, ends: 2 },
  { name: 'an update that is reverted and tried again', old: OLD, story: again, ends: 2 },
];

for (const row of ROWS) {
  test(`${row.name}: the power is cut at every operation on flash, and no board is bricked`, () =>
    sweep(row));
}

test.run();
