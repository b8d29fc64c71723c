/** What a saver that was cut off leaves in the root file system, before a foreign checker. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { reader } from '../boards/observer/observer.ts';
import { needsTool, testUnless } from '../scripts/harness.ts';
import { type Cut, Saving } from './savecore.test-helper.ts';

const BASE = L.DATA_LBA * L.SECTOR_BYTES;

function assertClean({ pair }: Saving, what: string): void {
  const { medium } = pair.machine.shelf.disks[pair.disk('a.root')]!;
  const folder = mkdtempSync(join(tmpdir(), 'sparecore-'));
  try {
    const path = join(folder, 'root.img');
    writeFileSync(path, reader(medium)(BASE, medium.bytes - BASE - L.TAIL_BLOCKS * L.SECTOR_BYTES));
    const { status, stdout, stderr } = spawnSync('fsck.exfat', ['-n', path], { encoding: 'utf8' });
    assert.is(status, 0, `${what}: ${stdout}${stderr}`);
    assert.match(stdout, /clean/, what);
    assert.not.match(`${stdout}${stderr}`, /ERROR|corrupt|dirty/i, what);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

testUnless(needsTool('fsck.exfat'), 'fsck.exfat finds a clean volume, wherever the saver was cut off', () => {
  const whole = new Saving().run();
  assertClean(whole, 'not cut');
  whole.pair.close();
  for (let n = 1; n <= whole.writes; n++) {
    const cut: Cut = n % 2 ? 'torn' : 'after';
    const saving = new Saving(n, cut);
    try {
      saving.run();
      assertClean(saving, `cut at write ${n} of ${whole.writes}, ${cut}`);
    } finally {
      saving.pair.close();
    }
  }
});

test.run();
