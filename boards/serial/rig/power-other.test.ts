import { suite } from 'uvu';
import { type Row, LARGE, OLD, byAn3155, confirmed, reverted, sweep } from './power.test-helper.ts';

const test = suite('power cut');

const ROWS: readonly Row[] = [
  { name: 'an update of two sectors', old: OLD, image: LARGE, story: confirmed, ends: 2 },
  { name: 'an update over AN3155', old: OLD, story: byAn3155, ends: 2 },
  { name: 'the first image of a board, confirmed', old: null, story: confirmed, ends: 2 },
  { name: 'the first image of a board, not confirmed', old: null, story: reverted, ends: 0 },
];

for (const row of ROWS) {
  test(`${row.name}: the power is cut at every operation on flash, and no board is bricked`, () =>
    sweep(row));
}

test.run();
