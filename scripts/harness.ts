// What any test may use on top of uvu: conditions with a reason, and tests that stand for a claim of the invention.
import { accessSync, appendFileSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'uvu';

type TestBody = () => void | Promise<void>;

/** One line of the file that SPARECORE_CLAIMS_OUT names. */
export interface ClaimRecord {
  claim: number;
  name: string;
  ok: boolean;
}

/** One line of the file that SPARECORE_SKIPS_OUT names. */
export interface SkipRecord {
  name: string;
  reason: string;
}

function record(
  variable: 'SPARECORE_CLAIMS_OUT' | 'SPARECORE_SKIPS_OUT',
  line: ClaimRecord | SkipRecord,
): void {
  const path = process.env[variable];
  if (path !== undefined) appendFileSync(path, `${JSON.stringify(line)}\n`);
}

/** Why a test that runs the program `name` cannot run here; null when it can. */
export function needsTool(name: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return null;
    } catch {
      // not in this folder
    }
  }
  return `${name} is not installed`;
}

/** Why a test that takes long or runs foreign programs stays out of a plain `npm test`; null when it is wanted. */
export function needsExternal(): string | null {
  return process.env['SPARECORE_EXTERNAL'] === '1' ? null : 'SPARECORE_EXTERNAL is not 1';
}

/** Registers a test, or, for the first reason that is not null, reports it as skipped. */
export function testUnless(
  reasons: string | null | readonly (string | null)[],
  name: string,
  body: TestBody,
): void {
  const reason = [reasons].flat().find((each) => each !== null);
  if (reason === undefined || reason === null) {
    test(name, body);
    return;
  }
  test.skip(name);
  record('SPARECORE_SKIPS_OUT', { name, reason });
}

/** Registers the test of one claim or of several; the guard collects which claims have one and which hold. */
export function claim(numbers: number | readonly number[], sentence: string, body: TestBody): void {
  const claims = [numbers].flat();
  const name = `claim${claims.length === 1 ? '' : 's'} ${claims.join(', ')}: ${sentence}`;
  test(name, async () => {
    let ok = false;
    try {
      await body();
      ok = true;
    } finally {
      for (const number of claims) record('SPARECORE_CLAIMS_OUT', { claim: number, name, ok });
    }
  });
}
