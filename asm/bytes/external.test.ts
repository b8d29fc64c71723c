/** LZ4 blocks beside those of the reference, which takes them back byte for byte: nearly the same choices. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Dice, Formats } from '../../boards/core/formats.test-helper.ts';
import { needsTool, testUnless } from '../../scripts/harness.ts';

const BLOCK = 65_536;
/** Takes lengths and bytes of a block and of what became of it; gives the reference's length, and the block expanded. */
const PROGRAM = `
#include <lz4.h>
#include <stdio.h>
int main(void) {
  static char from[65536], made[70000], to[70000];
  unsigned bytes, packed;
  while (fread(&bytes, 4, 1, stdin) == 1) {
    if (bytes > sizeof from || fread(from, 1, bytes, stdin) != bytes) return 1;
    if (fread(&packed, 4, 1, stdin) != 1 || packed > sizeof made || fread(made, 1, packed, stdin) != packed) return 1;
    unsigned reference = LZ4_compress_fast(from, to, bytes, sizeof to, 1);
    int expanded = LZ4_decompress_safe(made, to, packed, sizeof to);
    if (expanded < 0) return 2;
    fwrite(&reference, 4, 1, stdout);
    fwrite(&expanded, 4, 1, stdout);
    fwrite(to, 1, expanded, stdout);
  }
  return 0;
}
`;
/** Of the reference's bytes: all blocks together, and the worst one. */
const MORE_ALL = 1.01;
const MORE_ONE = 1.1;
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

function lengthOf(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(bytes.length);
  return head;
}

testUnless(
  [needsTool('gcc'), needsLz4],
  'liblz4 expands every block to what it was, and would have made it no more than a per cent smaller',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'sparecore-'));
    try {
      writeFileSync(join(folder, 'oracle.c'), PROGRAM);
      const built = spawnSync('gcc', ['-O2', 'oracle.c', '-o', 'oracle', '-llz4'], {
        cwd: folder,
        encoding: 'utf8',
      });
      assert.is(built.status, 0, built.stderr);
      const io = new Formats();
      const [table, from, to] = [io.room(16_384), io.room(BLOCK), io.room(BLOCK + 4096)];
      const all = blocks().map((block) => {
        io.bytes.set(block, from);
        const made = io.call('lz4_compress', from, block.length, to, BLOCK + 1024, table);
        return { block, made: io.part(to, made).slice() };
      });
      const input = Buffer.concat(
        all.flatMap(({ block, made }) => [lengthOf(block), block, lengthOf(made), made]),
      );
      const { stdout, status } = spawnSync(join(folder, 'oracle'), { input, maxBuffer: 1 << 30 });
      assert.is(status, 0, 'liblz4 takes every block');
      let [at, ours, theirs] = [0, 0, 0];
      for (const [n, { block, made }] of all.entries()) {
        const reference = stdout.readUInt32LE(at);
        const expanded = stdout.subarray(at + 8, at + 8 + stdout.readUInt32LE(at + 4));
        at += 8 + expanded.length;
        assert.is(Buffer.compare(block, expanded), 0, `block ${n} of ${block.length} bytes`);
        assert.ok(
          made.length <= reference * MORE_ONE + 8,
          `block ${n}: ${made.length} bytes, not ${reference}`,
        );
        ours += made.length;
        theirs += reference;
      }
      assert.is(at, stdout.length);
      assert.ok(ours <= theirs * MORE_ALL, `${ours} bytes, not ${theirs}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test.run();
