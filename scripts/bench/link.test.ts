import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OVERHEAD_MAX, SHARE_MIN, benchLink, linkLines } from './link.ts';

test('bulk frames take 95 % of a paced line, with less than 1 % beyond COBS and headers', () => {
  const bench = benchLink();
  assert.ok(bench.ok);
  const gated = bench.rows.filter((row) => row.gated);
  assert.ok(gated.some(({ baud }) => baud === 921_600));
  for (const { what, share, overhead } of gated) {
    assert.ok(share >= SHARE_MIN && share <= 1, `${what}: ${share}`);
    assert.ok(overhead <= OVERHEAD_MAX, `${what}: ${overhead}`);
  }
  assert.ok(bench.rows.some((row) => row.what.includes('noisy') && row.share > 0.9));
});

test('the table says which row is short', () => {
  const bench = benchLink();
  assert.not.match(linkLines(bench).join('\n'), /SHORT/);
  const [first, ...rest] = bench.rows;
  assert.match(linkLines({ rows: [{ ...first!, ok: false }, ...rest], ok: false }).join('\n'), /SHORT/);
});

test.run();
