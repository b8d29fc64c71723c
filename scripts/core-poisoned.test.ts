/** A page of RAM is gone, and a dump was made: every command of `sparecore core`, readelf and gdb tell that page alone. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { core, dumpOf } from './core.test-helper.ts';
import { needsTool, testUnless } from './harness.ts';

const disks = dumpOf([{ at_s: 0.8, do: 'memory-error', board: 'a' }]);
test.after(disks.remove);
const IMAGE = disks.image('a.spare.0');
const ROOT_DISK = disks.image('a.root');
const [SAVED, MADE] = [disks.file('saved'), disks.file('made')];
assert.is(core('extract', ROOT_DISK, '-o', SAVED).code, 0);
assert.is(core('salvage', IMAGE, '-o', MADE).code, 0);

/** The page that the event of a scenario poisons. */
const GONE = JSON.parse(core('info', IMAGE, '--json').out).memory.missing_pages[0].address as number;
const hex = (at: number): string => `0x${at.toString(16)}`;

test('the page is one of the cache, at the start of its chunk', () => {
  assert.ok(GONE > 0 && GONE % L.CHUNK_BYTES === 0);
});

for (const [what, source] of [
  ['the dump on its disk', IMAGE],
  ['the core that the partner saved', SAVED],
  ['the core that salvage made', MADE],
  ['the core on the root disk', ROOT_DISK],
] as const) {
  test(`${what}: info counts one page of 4 KiB as missing and why, and all chunks as there`, () => {
    const { memory } = JSON.parse(core('info', source, '--json').out);
    assert.equal(memory.missing_pages, [{ address: GONE, bytes: L.PAGE_BYTES, reason: 'poisoned' }]);
    assert.equal([memory.missing, memory.lost, memory.missing_ranges], [0, 0, []]);
    const { out } = core('info', source);
    assert.match(out, /^PANIC: uncorrectable memory error/);
    assert.match(out, /^memory +16 MiB, 99\.9 % of it here: .* in these 1 page of 4 KiB poisoned$/m);
    assert.match(out, /% part of it missing/);
  });

  test(`${what}: it verifies, and memory is read up to the page and behind it, not in it`, () => {
    const verified = core('verify', source);
    assert.is(verified.code, 0, verified.out);
    const behind = core('read', source, hex(GONE + L.PAGE_BYTES), '16', '--raw');
    assert.is(behind.code, 0, behind.err);
    const before = core('read', source, hex(GONE - 16), '16', '--raw');
    assert.is(before.code, 0, before.err);
    const inside = core('read', source, hex(GONE + 8), '16');
    assert.match(`${inside.out}${inside.err}`, /poisoned: uncorrectable in RAM/);
  });
}

test('the saved core and the one made on the host are the same memory, byte for byte, gap for gap', () => {
  for (const [a, b] of [
    [SAVED, MADE],
    [SAVED, IMAGE],
  ] as const) {
    // prettier-ignore
    const { code, out } = core('diff', a, b);
    assert.is(code, 0, out);
  }
});

test('raw has no way to say it: it is refused, and with a fill the page alone is filled', () => {
  const raw = disks.file('raw');
  const refused = core('export', SAVED, '--format', 'raw', '-o', raw);
  assert.is.not(refused.code, 0);
  assert.match(refused.err, new RegExp(`0x0*${GONE.toString(16)}: poisoned`));
  assert.is(core('export', SAVED, '--format', 'raw', '--fill', '0xee', '-o', raw).code, 0);
  const memory = readFileSync(raw);
  const isFill = (at: number): boolean =>
    memory.subarray(at, at + L.PAGE_BYTES).every((byte) => byte === 0xee);
  assert.equal([-1, 0, 1].map((page) => isFill(GONE + page * L.PAGE_BYTES)), [false, true, false]); // prettier-ignore
});

const tool = (name: string, ...parameters: string[]): string => {
  const { status, stdout, stderr } = spawnSync(name, parameters, {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, LC_ALL: 'C', DEBUGINFOD_URLS: '' },
  });
  assert.is(status, 0, `${name}: ${stderr}${stdout}`);
  return stdout + stderr;
};

for (const [what, file] of [
  ['saved', SAVED],
  ['made', MADE],
] as const) {
  testUnless(
    [needsTool('readelf')],
    `readelf finds no fault with the ${what} core, and a segment ends and one begins around the page`,
    () => {
      const said = tool('readelf', '-lW', file);
      const segments = [...said.matchAll(/LOAD +\S+ 0x(\S+) \S+ \S+ 0x(\S+)/g)].map(
        ([, at, bytes]) => [Number.parseInt(at!, 16), Number.parseInt(bytes!, 16)] as const,
      );
      assert.not.match(said, /warning|error/i);
      assert.ok(segments.some(([at, bytes]) => at + bytes === GONE));
      assert.ok(segments.some(([at]) => at === GONE + L.PAGE_BYTES));
      assert.not.ok(segments.some(([at, bytes]) => at <= GONE && at + bytes > GONE));
    },
  );

  testUnless([needsTool('gdb')], `gdb reads the ${what} core around the page, and cannot access it`, () => {
    const commands = [GONE - 4, GONE, GONE + L.PAGE_BYTES - 4, GONE + L.PAGE_BYTES].flatMap((at) => [
      '-ex',
      `x/1xw ${hex(at)}`,
    ]);
    const said = tool('gdb', '-nx', '-batch', ...commands, '-c', file);
    const refused = [GONE, GONE + L.PAGE_BYTES - 4].map((at) => `Cannot access memory at address ${hex(at)}`);
    assert.equal(said.match(/Cannot access memory at address 0x[0-9a-f]+/g), refused);
  });
}

test.run();
