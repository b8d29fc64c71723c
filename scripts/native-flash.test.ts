/** The bootloader of a native board in QEMU: whatever happens to the line, the power or the image, the board comes back. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../firmware/bootloader/layout.ts';
import { EXIT_BAD_FLASH_IMAGE } from '../boards/input-error.ts';
import { slotAt } from '../boards/serial/rig/slot.ts';
import { needsExternal, needsTool, testUnless } from './harness.ts';
import { hostPause } from './host-pause.ts';
import { ROOT } from './repository.ts';
import type { RigRecord } from './rig/records.ts';
import { writeSmallPair } from './small-pair.test-helper.ts';

const RIG = [
  needsExternal(),
  ...['wasm2c', 'arm-none-eabi-gcc', 'qemu-system-arm', 'socat'].map((each) => needsTool(each)),
];
const SPARECORE = join(ROOT, 'build/js/scripts/sparecore.js');
const scratch = mkdtempSync(join(tmpdir(), 'sparecore-native-flash-'));
const env = { ...process.env, XDG_RUNTIME_DIR: scratch };
const key = join(scratch, 'rig.pem');
const NAME = 'boot';

interface Told {
  code: number | null;
  out: string;
  err: string;
}

function tell(program: string, parameters: readonly string[]): Told {
  const { status, stdout, stderr } = spawnSync(program, parameters, { encoding: 'utf8', env, cwd: ROOT });
  return { code: status, out: stdout, err: stderr };
}

const sparecore = (...words: string[]): Told => tell(process.execPath, [SPARECORE, ...words]);

function good(...words: string[]): string {
  const { code, out, err } = sparecore(...words);
  assert.is(code, 0, `${words.join(' ')}: ${err}${out}`);
  return out;
}

interface ImageWish {
  payload?: string;
  board?: string;
  counter?: number;
  signer?: string;
}

function imageOf(version: string, { payload, board, counter, signer }: ImageWish = {}): string {
  const out = join(scratch, `${version}.img`);
  good(
    'image',
    'sign',
    payload ?? join(ROOT, 'build/native/sparecore.bin'),
    '--out',
    out,
    '--board',
    board ?? 'cortex-m',
    '--version',
    version,
    '--counter',
    String(counter ?? 2),
    '--key',
    signer ?? key,
  );
  return out;
}

const rig = (): RigRecord => (JSON.parse(good('rig', 'list', '--json')) as RigRecord[])[0]!;
let port = '';
let flashPath = '';

/** The board's power goes, now; its keeper brings it back. */
function cutPower(): void {
  const { boardPid } = JSON.parse(readFileSync(`${port}.json`, 'utf8')) as RigRecord;
  process.kill(boardPid, 'SIGKILL');
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let n = 0; !holds(); n++) {
    if (n === 1200) throw new Error(`a minute went by without: ${what}`);
    await hostPause(50);
  }
}

/** First byte of a flag in a slot of the SPI flash. */
const flagOf = (slot: number, flag: number): number => readFileSync(flashPath)[slotAt(slot) + flag]!;
const isSet = (slot: number, flag: number): boolean => flagOf(slot, flag) === L.FLAG_SET;

/** The last of the percentages. */
const shown = (said: string): number => Number([...said.matchAll(/^ *(\d+) %/gm)].at(-1)?.[1] ?? 0);

/** Both boards boot and serve: what this board has is firmware that works. */
function runs(): void {
  const scenario = join(scratch, 'short.yaml');
  writeSmallPair(scenario, 0.1);
  assert.match(good('compare', scenario, '--board-a', `serial:${port}`), /^The same: \d+ events/m);
}

test.after(() => {
  sparecore('rig', 'stop', NAME);
  rmSync(scratch, { recursive: true, force: true });
});

testUnless(
  RIG,
  'an upload goes on through three losses of power, and the image boots and confirms itself',
  async () => {
    assert.is(tell(process.execPath, ['scripts/build-native.mjs']).code, 0);
    good('image', 'keygen', key);
    const started = ['--image', imageOf('1.0.0'), '--key', join(scratch, 'rig.pub.pem')];
    good('rig', 'start', NAME, '--kind', 'qemu', ...started);
    ({ port, flash: flashPath } = rig());
    runs();
    const second = imageOf('2.0.0');
    const flash = spawn(process.execPath, [SPARECORE, 'flash', port, second, '--yes'], { env });
    let said = '';
    for (const stream of [flash.stdout, flash.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = new Promise<number | null>((resolve) => flash.once('exit', (code) => resolve(code)));
    for (const percent of [20, 50, 80]) {
      await until(`${percent} %: ${said}`, () => shown(said) >= percent);
      cutPower();
    }
    assert.is(await ended, 0, said);
    assert.match(said, /2\.0\.0: .* over SMP/);
    runs();
    assert.ok(isSet(1, L.TRIED_AT) && isSet(1, L.CONFIRMED_AT));
  },
);

testUnless(RIG, 'what is not for this board is refused, and it runs what it had', () => {
  const other = join(scratch, 'other.pem');
  good('image', 'keygen', other);
  for (const [image, why] of [
    [imageOf('9.0.1', { signer: other }), /key/],
    [imageOf('9.0.2', { board: 'emulated', payload: join(ROOT, 'build/firmware.wasm') }), /board/],
    [imageOf('9.0.3', { counter: 1 }), /counter|downgrade/],
  ] as const) {
    const { code, err } = sparecore('flash', port, image, '--yes');
    assert.is(code, EXIT_BAD_FLASH_IMAGE, err);
    assert.match(err, why);
  }
  runs();
});

/** [ARM] B1.5.3: a stack, and a start that is a branch to itself. */
function hang(): string {
  const path = join(scratch, 'hang.bin');
  const bytes = Buffer.alloc(64);
  bytes.writeUInt32LE(0x2000_ff00, 0);
  bytes.writeUInt32LE(0xa000_0021, 4);
  bytes.writeUInt16LE(0xe7fe, 0x20);
  writeFileSync(path, bytes);
  return path;
}

testUnless(RIG, 'an image that hangs has the board once: after the next reset the old one runs', async () => {
  const slot = 0;
  good('flash', port, imageOf('3.0.0', { payload: hang() }), '--yes');
  await until('the image on trial', () => isSet(slot, L.TRIED_AT));
  cutPower();
  await until('its rejection', () => isSet(slot, L.REJECTED_AT));
  runs();
  assert.not(isSet(slot, L.CONFIRMED_AT));
});

testUnless(
  [...RIG, needsTool('stm32flash')],
  'stm32flash writes, verifies and starts an image on a native board',
  async () => {
    const common = ['-m', '8n1', '-b', '115200', port];
    const image = imageOf('4.0.0');
    const raw = join(scratch, 'raw.bin');
    writeFileSync(raw, readFileSync(image));
    await hostPause(1000); // a silence, so that the firmware lets the bootloader have the line
    const first = tell('stm32flash', common);
    await hostPause(500);
    const told = first.code === 0 ? first : tell('stm32flash', common);
    assert.match(told.out, /Device ID +: 0x0415/, first.out + first.err + told.err);
    const write = ['-w', raw, '-v', '-g', '0x08000000', ...common];
    // Its time limits are those of a board, not of an emulator that waits for a CPU: once more is what anyone would do.
    const once = tell('stm32flash', write);
    const written = once.code === 0 ? once : tell('stm32flash', write);
    assert.is(written.code, 0, written.err + written.out);
    assert.match(written.out, /verified address.*100\.00%/i);
    runs();
    assert.ok(isSet(0, L.CONFIRMED_AT));
  },
);

test.run();
