import { mkdtempSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InputError } from '../input-error.ts';
import { lockFolder } from './lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'sparecore-lock-'));
const path = join(folder, 'sparecore.lock');

test('a folder of disks is for one run at a time, and free after it', () => {
  const release = lockFolder(folder);
  assert.throws(
    () => lockFolder(folder),
    (error: unknown) =>
      error instanceof InputError && error.exitCode === 4 && error.message.includes(`${process.pid}`),
  );
  release();
  assert.not.ok(existsSync(path));
  lockFolder(folder)();
});

test('the lock of a process that is gone is taken over', () => {
  writeFileSync(path, '999999999\n');
  const release = lockFolder(folder);
  release();
  writeFileSync(path, 'no number');
  lockFolder(folder)();
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();
