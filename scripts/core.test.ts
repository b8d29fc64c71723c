/** `sparecore core` as a person types it, on the disks of a dump that was cut at a third. */
import {
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import * as F from '../firmware/layout.ts';
import { EXIT_BAD_CORE } from '../boards/input-error.ts';
import { core, cutDump, sparecore } from './core.test-helper.ts';
import { ROOT } from './repository.ts';

const disks = cutDump();
test.after(disks.remove);
const IMAGE = disks.image('a.spare.0');
const ROOT_DISK = disks.image('a.root');
const CORE = disks.file('core');

/** The line of the source that fails on request. */
const SOURCE = readFileSync(join(ROOT, 'firmware/console.ts'), 'utf8').split('\n');
const LINE = SOURCE.findIndex((line) => line.includes("assert(false, 'failed on request")) + 1;

const VERBS = [
  'info',
  'log',
  'trace',
  'regs',
  'read',
  'print',
  'verify',
  'extract',
  'export',
  'salvage',
  'diff',
  'gdb',
];

test('core --help names every verb, and each says what it does', () => {
  const { code, out } = core('--help');
  assert.is(code, 0);
  for (const verb of VERBS) {
    assert.match(out, new RegExp(`^ {2}${verb}\\b`, 'm'));
    const help = core(verb, '--help');
    assert.is(help.code, 0);
    assert.match(help.out, new RegExp(`^Usage: sparecore core ${verb} `));
  }
  assert.match(sparecore('--help').out, new RegExp(`^ {2}${EXIT_BAD_CORE} `, 'm'));
});

for (const source of [IMAGE, ROOT_DISK]) {
  test(`one command leads to the source line, from a dump cut at a third: ${source === IMAGE ? 'its disk' : 'the root disk'}`, () => {
    const { code, out, err } = core('info', source);
    assert.is(code, 0, err);
    const lines = out.split('\n');
    assert.is(lines[0], 'PANIC: failed assert: "failed on request of the console"');
    assert.match(lines[1]!, new RegExp(`^ {2}at firmware/console\\.ts:${LINE}:\\d+$`));
    assert.ok(
      lines.some((line) => line.startsWith(`  > ${LINE} | `) && line.endsWith(SOURCE[LINE - 1]!)),
      out,
    );
    assert.match(out, /^board +system 1001, boot epoch 1, firmware [0-9a-f]{16}, the build here$/m);
    assert.match(out, /^when +2026-01-01 00:00:00 UTC, 0\.800 s after power-on, in phase "console"$/m);
    assert.match(out, /^dump +aborted by its time limit/m);
    const share = Number(/^memory +16 MiB, ([\d.]+) % of it here/m.exec(out)?.[1]);
    assert.ok(share > 20 && share < 50, `${share} %`);
    assert.match(out, /^ +0x00000000 +#[#.]+$/m);
    assert.match(out, /# stored {3}\. zero {3}- missing/);
    assert.match(out, /^there +all of firmware state and panic record, log ring, trace ring/m);
    assert.match(out, /^log +\[ +0\.\d+\] /m);
    assert.ok(lines.length <= 30, `${lines.length} lines`);
  });
}

test('info --json has the same for programs', () => {
  const { out } = core('info', IMAGE, '--json');
  const { panic, build_matches, memory, dump } = JSON.parse(out);
  assert.is(panic.reason, 'failed assert');
  assert.equal([panic.place.file, panic.place.line], ['firmware/console.ts', LINE]);
  assert.is(panic.source_line, SOURCE[LINE - 1]);
  assert.is(build_matches, true);
  assert.is(memory.stored + memory.zero + memory.lost + memory.missing, 256);
  assert.ok(memory.missing > 100 && memory.missing_ranges.length > 0);
  assert.is(memory.missing_ranges[0].reason, 'unreached');
  assert.is(dump.abort, L.ABORT_LIMIT);
});

test('with another firmware image info says that its source may differ', () => {
  const other = disks.file('other.wasm');
  copyFileSync(join(ROOT, 'build/firmware-mcu.wasm'), other);
  copyFileSync(join(ROOT, 'build/firmware-mcu.wasm.map'), `${other}.map`);
  const { out } = core('info', IMAGE, '--firmware', other);
  assert.match(out, /other build \(here [0-9a-f]{16}\): the source may differ/);
  assert.match(out, /not the build here/);
});

test('the log and the trace come in order', () => {
  const log = core('log', IMAGE).out.trimEnd().split('\n');
  assert.match(log[0]!, /boot epoch 1$/);
  const times = log.map((line) => Number(/^\[ *([\d.]+)\]/.exec(line)?.[1]));
  assert.equal(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.is(core('log', IMAGE, '--last', '1').out.trimEnd(), log.at(-1));
  const trace = JSON.parse(core('trace', IMAGE, '--json', '--all').out);
  assert.equal([trace[0].event, trace[0].values[0]], ['boot', 1]);
  assert.match(core('trace', IMAGE).out, /^ *0\.\d{6} +elected +\d+/m);
});

test('regs names the function that the program counter stands in', () => {
  assert.match(
    core('regs', IMAGE).out,
    /^pc +0x[0-9a-f]{8} +firmware\/abort\/abort\+0x[0-9a-f]+ at firmware\/abort\.ts:\d+:\d+$/m,
  );
});

test('read shows memory, and says of what is missing that it is', () => {
  const { code, out } = core('read', IMAGE, '0x41000', '32');
  assert.is(code, 0);
  assert.match(out, /^00041000 {2}53 43 50 52 02 00 00 00 {2}.*\|SCPR\.\.\.\..*\|$/m);
  const raw = core('read', IMAGE, '0x41000', '4k', '--raw');
  assert.is(raw.bytes.length, 4096);
  assert.is(raw.bytes.readUInt32LE(0), F.RECORD_MAGIC);
  const { first_chunk: chunk } = JSON.parse(core('info', IMAGE, '--json').out).memory.missing_ranges[0];
  const gone = core('read', IMAGE, String(chunk * L.CHUNK_BYTES - 16), '32');
  assert.is(gone.code, EXIT_BAD_CORE);
  assert.match(
    gone.out,
    /^[0-9a-f]{8} {2}16 bytes up to [0-9a-f]{8} are not there: unreached: the dump did not get there$/m,
  );
  const none = core('read', IMAGE, String(chunk * L.CHUNK_BYTES), '32', '--raw');
  assert.equal([none.code, none.out], [EXIT_BAD_CORE, '']);
});

test('print shows structures by name, by type and address, and one field', () => {
  assert.match(core('print', IMAGE, 'core').out, /^ {2}phase +9 PHASE_CONSOLE/m);
  assert.match(core('print', IMAGE, 'disks[3].wwn').out, /^disks\[3\] at 0x00042300\n {2}wwn +\d+ 0x50accd/);
  assert.is(
    JSON.parse(core('print', IMAGE, 'disk', '0x42100', '--json').out)['(struct disk) 0x42100'].owner,
    1001,
  );
  assert.match(core('print', IMAGE, 'panic_record.text').out, /"failed on request of the console"/);
  assert.match(core('print', IMAGE).out, /^0x00042000 +disks\[64\] +struct disk$/m);
  assert.match(core('print', IMAGE, 'volumes').out, /^volumes\[0\] at /m);
  assert.is(core('print', IMAGE, 'nothing').code, 2);
});

test('verify finds a cut dump in order, and one changed byte', () => {
  for (const source of [IMAGE, ROOT_DISK]) {
    const { code, out } = core('verify', source);
    assert.is(code, 0, out);
    assert.not.match(out, /WRONG/);
  }
  const spoiled = disks.file('spoiled.img');
  copyFileSync(IMAGE, spoiled);
  const { imageAt } = placeIn(spoiled);
  spoil(spoiled, imageAt + 100, Buffer.from([1, 2, 3, 4]));
  const { code, out } = core('verify', spoiled, '--json');
  assert.is(code, 1);
  const { ok, checks } = JSON.parse(out);
  assert.is(ok, false);
  assert.match(JSON.stringify(checks), /corrupt: its checksum is wrong/);
});

/** Where the image of the dump begins. */
function placeIn(path: string): { imageAt: number } {
  const header = readFileSync(path).subarray(L.COREDUMP_LBA * 512);
  const lbas = [0, L.COPY_BYTES].map((at) => Number(header.readBigUInt64LE(at + L.HEADER_IMAGE_LBA_AT)));
  return { imageAt: Math.max(...lbas) * 512 };
}

function spoil(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

test('extract copies the core of a root disk, makes one of a dump, and overwrites nothing', () => {
  assert.match(core('extract', ROOT_DISK, '--list').out, /^\/cores\/core\.1001\.2026-01-01\.00_00_00 /);
  assert.is(core('extract', ROOT_DISK, '-o', CORE).code, 0);
  const own = disks.file('made');
  assert.is(core('extract', IMAGE, '-o', own).code, 0);
  const { code, out } = core('diff', CORE, own);
  assert.is(code, 0, out);
  assert.match(out, /^the same from 0x00000000 to 0x01000000$/m);
  const again = core('extract', IMAGE, '-o', own);
  assert.equal(
    [again.code, again.err],
    [EXIT_BAD_CORE, `sparecore: ${own}: is there already; --force replaces it\n`],
  );
  assert.is(core('extract', IMAGE, '-o', own, '--force').code, 0);
  assert.not.ok(readdirSync(disks.folder).some((name) => name.includes('unfinished')));
});

test('a core by its name in the volume, and the volume alone, are sources as well', () => {
  const volume = disks.file('volume.exfat');
  const bytes = readFileSync(ROOT_DISK);
  writeFileSync(volume, bytes.subarray(L.DATA_LBA * 512, bytes.length - L.TAIL_BLOCKS * 512));
  for (const source of [`${ROOT_DISK}:/cores/core.1001.2026-01-01.00_00_00`, volume, CORE]) {
    assert.match(core('info', source).out, /^PANIC: failed assert/, source);
  }
});

test('export writes the three formats; raw only with something in place of what is missing', () => {
  const raw = disks.file('raw');
  const refused = core('export', IMAGE, '--format', 'raw', '-o', raw);
  assert.is(refused.code, EXIT_BAD_CORE);
  assert.match(refused.err, /unreached.*--fill BYTE/);
  assert.not.ok(existsSync(raw));
  assert.is(core('export', IMAGE, '--format', 'raw', '--fill', '0xee', '-o', raw).code, 0);
  assert.is(statSync(raw).size, 16 << 20);
  assert.is(readFileSync(raw).readUInt32LE(F.RECORD_AT), F.RECORD_MAGIC);
  const wasm = disks.file('wasm');
  assert.is(core('export', IMAGE, '--format', 'wasm-coredump', '-o', wasm).code, 0);
  assert.ok(WebAssembly.validate(new Uint8Array(readFileSync(wasm))));
  const elf = disks.file('elf');
  assert.is(core('export', CORE, '--format', 'elf', '-o', elf).code, 0);
  assert.is(core('verify', elf).code, 0);
});

test('salvage gets the same memory from a disk whose headers are gone', () => {
  const torn = disks.file('torn.img');
  copyFileSync(IMAGE, torn);
  spoil(torn, L.COREDUMP_LBA * 512, Buffer.alloc(2 * L.COPY_BYTES, 0xa5));
  const refused = core('info', torn);
  assert.is(refused.code, EXIT_BAD_CORE);
  assert.match(
    refused.err,
    /is a spare disk \(a\.spare\.0\) without a valid coredump header; sparecore core salvage may find something/,
  );
  const saved = disks.file('salvaged');
  const { code, out, err } = core('salvage', torn, '-o', saved);
  assert.is(code, 0, err);
  assert.match(out, /^found: system 1001, boot epoch 1: \d+ blocks? of its chunk table$/m);
  assert.match(out, /^PANIC: failed assert: "failed on request of the console"$/m);
  assert.is(core('diff', CORE, saved).code, 0);
});

const REFUSED: [what: string, make: () => string, says: RegExp][] = [
  ['a file that is not there', () => disks.file('none'), /is not there/],
  ['a folder', () => disks.folder, /is a folder/],
  ['an empty file', () => made('empty', Buffer.alloc(0)), /is no core file, disk image or exFAT volume/],
  [
    'a text',
    () => made('text', Buffer.from('hello'.repeat(1000))),
    /is no core file, disk image or exFAT volume/,
  ],
  [
    'a core that is cut',
    () => made('short', readFileSync(CORE).subarray(0, 70_000)),
    /core file: at byte \d+: /,
  ],
  ['an ELF program', () => made('elf-program', elfProgram()), /an ELF file, but not a core/],
  ['a disk without a dump', () => disks.image('a.data.0'), /without a dump|no image/],
  ['a root disk without a core', () => disks.image('b.root'), /no core in \/cores/],
  ['a core that the volume has not', () => `${ROOT_DISK}:/cores/none`, /not there/],
  ['a path in a disk without a volume', () => `${IMAGE}:/cores/x`, /holds no exFAT volume/],
];

function made(name: string, bytes: Uint8Array): string {
  const path = disks.file(name);
  writeFileSync(path, bytes);
  return path;
}

function elfProgram(): Buffer {
  const bytes = Buffer.from(readFileSync(CORE).subarray(0, 4096));
  bytes.writeUInt16LE(2, 16); // ET_EXEC
  return bytes;
}

for (const [what, make, says] of REFUSED) {
  test(`refuses ${what} in one line, with exit code ${EXIT_BAD_CORE}`, () => {
    const { code, out, err } = core('info', make());
    assert.is(code, EXIT_BAD_CORE, err + out);
    assert.is(out, '');
    assert.match(err, says);
    assert.is(err.trimEnd().split('\n').length, 1, err);
  });
}

test('an image that ends in the middle of its dump gives what it has', () => {
  const short = disks.file('short.img');
  copyFileSync(IMAGE, short);
  truncateSync(short, placeIn(short).imageAt + 600_000);
  const { code, err } = core('info', short);
  assert.is(code, EXIT_BAD_CORE, 'the header points past the end');
  assert.match(err, /outside the data region/);
  const salvaged = core('salvage', short);
  assert.is(salvaged.code, 0, salvaged.err);
  assert.match(salvaged.out, /^PANIC: failed assert/m);
});

const USAGE: [string, string[]][] = [
  ['no verb', []],
  ['an unknown verb', ['inof', IMAGE]],
  ['no source', ['info']],
  ['an address that is none', ['read', IMAGE, 'here']],
  ['an address past 4 GiB', ['read', IMAGE, '0x1ffffffff']],
  ['no bytes', ['read', IMAGE, '0', '0']],
  ['a format that is none', ['export', IMAGE, '--format', 'pdf', '-o', 'x']],
  ['a port that is none', ['gdb', IMAGE, '--port', '70000']],
];
for (const [what, parameters] of USAGE) {
  test(`${what}: exit code 2`, () => {
    assert.is(core(...parameters).code, 2);
  });
}

test.run();
