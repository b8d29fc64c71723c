/** LZ4 blocks beside those of the reference: the same choices, byte for byte. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Dice, Formats } from '../../boards/core/formats.test-helper.ts';
import { needsTool, testUnless } from '../../scripts/harness.ts';

const BLOCK = 65_536;
const PROGRAM = `
#include <lz4.h>
#include <stdio.h>
int main(void) {
  static char from[65536], to[70000];
  unsigned bytes;
  while (fread(&bytes, 4, 1, stdin) == 1) {
    if (bytes > sizeof from || fread(from, 1, bytes, stdin) != bytes) return 1;
    unsigned made = LZ4_compress_fast(from, to, bytes, sizeof to, 1);
    fwrite(&made, 4, 1, stdout);
    fwrite(to, 1, made, stdout);
  }
  return 0;
}
`;
const needsLz4 = existsSync('/usr/include/lz4.h') ? null : 'lz4.h is not installed';

/** Blocks of real content and of made-up content, of many lengths. */
function blocks(): Uint8Array[] {
  const dice = new Dice(51);
  const real = readFileSync(process.execPath).subarray(0, 64 << 20);
  const list: Uint8Array[] = [];
  for (let at = 0; at + BLOCK <= real.length; at += 17 * BLOCK) list.push(real.subarray(at, at + BLOCK));
  for (let n = 0; n < 200; n++) {
    const at = dice.below(real.length - BLOCK);
    list.push(real.subarray(at, at + 1 + dice.below(n % 3 ? 4000 : BLOCK)));
  }
  list.push(new Uint8Array(BLOCK), dice.roll(new Uint8Array(BLOCK)), new Uint8Array(13), new Uint8Array(12));
  return list;
}

testUnless(
  [needsTool('gcc'), needsLz4],
  'every block is byte for byte that of liblz4 at acceleration 1',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'sparecore-'));
    try {
      writeFileSync(join(folder, 'oracle.c'), PROGRAM);
      const built = spawnSync('gcc', ['-O2', 'oracle.c', '-o', 'oracle', '-llz4'], {
        cwd: folder,
        encoding: 'utf8',
      });
      assert.is(built.status, 0, built.stderr);
      const all = blocks();
      const input = Buffer.concat(
        all.flatMap((block) => {
          const head = Buffer.alloc(4);
          head.writeUInt32LE(block.length);
          return [head, block];
        }),
      );
      const { stdout, status } = spawnSync(join(folder, 'oracle'), { input, maxBuffer: 1 << 30 });
      assert.is(status, 0);
      const io = new Formats();
      const [table, from, to] = [io.room(16_384), io.room(BLOCK), io.room(BLOCK + 4096)];
      let at = 0;
      for (const [n, block] of all.entries()) {
        const expected = stdout.subarray(at + 4, at + 4 + stdout.readUInt32LE(at));
        at += 4 + expected.length;
        io.bytes.set(block, from);
        const made = io.call('lz4_compress', from, block.length, to, BLOCK + 1024, table);
        assert.is(Buffer.compare(io.part(to, made), expected), 0, `block ${n} of ${block.length} bytes`);
      }
      assert.is(at, stdout.length);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test.run();
