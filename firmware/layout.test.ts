import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../asm/layout.ts';
import { firmwarePath } from '../boards/machine.ts';
import { withPair } from '../boards/machine.test-helper.ts';
import * as F from './layout.ts';
import { fieldOf, structure } from './memory.test-helper.ts';

const test = suite('memory map');
const RAM_MIN = 16 << 20;

/** The map from bottom to top. */
const REGIONS: readonly (readonly [name: string, at: number, bytes: number])[] = [
  ['static data', F.STATIC_AT, F.CORE_AT - F.STATIC_AT],
  ['core', F.CORE_AT, F.CORE_BYTES],
  ['panic record', F.RECORD_AT, F.RECORD_BYTES],
  ['disks', F.DISKS_AT, F.DISK_BYTES * F.DISK_MAX],
  ['volumes', F.VOLUMES_AT, F.VOLUME_BYTES * F.VOLUME_MAX],
  ['commands', F.COMMANDS_AT, F.COMMAND_BYTES * F.COMMAND_MAX],
  ['submission ring', F.SQ_AT, L.SQE_BYTES * F.COMMAND_MAX],
  ['completion ring', F.CQ_AT, L.CQE_BYTES * F.COMMAND_MAX],
  ['request ring', F.REQUESTS_AT, L.REQUEST_BYTES * F.REQUEST_MAX],
  ['messages', F.MESSAGE_AT, 2 * F.MESSAGE_ROOM],
  ['log ring', F.LOG_AT, F.LOG_BYTES],
  ['trace ring', F.TRACE_AT, F.TRACE_BYTES],
  ['scratch', F.SCRATCH_AT, F.SCRATCH_BYTES * F.DISK_MAX],
  ['savecore', F.SAVE_AT, F.SAVE_BYTES],
  ['labels that are rewritten', F.LABEL_BUFFER_AT, F.LABEL_BUFFER_BYTES],
  ['work area of the panic handler', F.WORK_AT, F.WORK_BYTES],
  ['cache', F.CACHE_AT, RAM_MIN - F.CACHE_AT],
];

test('regions lie one above the other and do not overlap', () => {
  for (let i = 1; i < REGIONS.length; i++) {
    const [below, at, bytes] = REGIONS[i - 1]!;
    const [above, next] = REGIONS[i]!;
    assert.ok(bytes > 0);
    assert.ok(
      at + bytes <= next,
      `${below} ends at ${(at + bytes).toString(16)}, ${above} begins at ${next.toString(16)}`,
    );
  }
});

test('the smallest board has room for some of the cache', () => {
  assert.ok(F.CACHE_AT + 64 * (F.CACHE_ENTRY_BYTES + F.CACHE_LINE_BYTES) < RAM_MIN);
});

test('what the dump takes region by region begins and ends with a chunk', () => {
  for (const at of [F.CORE_AT, F.LOG_AT, F.TRACE_AT, F.SCRATCH_AT, F.WORK_AT, F.WORK_AT + F.WORK_BYTES]) {
    assert.is(at % L.CHUNK_BYTES, 0, at.toString(16));
  }
  // One chunk each: firmware/order.ts counts on it.
  assert.equal([F.LOG_BYTES, F.TRACE_BYTES], [L.CHUNK_BYTES, L.CHUNK_BYTES]);
});

test('rings have a power of two of entries', () => {
  for (const count of [F.COMMAND_MAX, F.REQUEST_MAX]) assert.is(count & (count - 1), 0);
});

for (const [name, room] of [
  ['Core', F.CORE_BYTES],
  ['Disk', F.DISK_BYTES],
  ['Volume', F.VOLUME_BYTES],
  ['Command', F.COMMAND_BYTES],
  ['CacheEntry', F.CACHE_ENTRY_BYTES],
] as const) {
  test(`struct ${name} fits its ${room} bytes`, () => {
    const { bytes, fields } = structure(name);
    assert.ok(fields.size > 5);
    assert.ok(bytes <= room, `${bytes} bytes`);
  });
}

test('the entry of a command that is sent again is a whole submission entry', () => {
  const { fields } = structure('Command');
  assert.equal(fields.get('sqe0'), { offset: 0, bytes: 8 });
  assert.is(fields.get('kind')!.offset, L.SQE_BYTES);
});

test('a running board keeps its state where the map says', () => {
  withPair({}, (pair) => {
    pair.started();
    for (const board of [0, 1] as const) {
      const ram = pair.machine.boards[board].ram()!;
      const core = (field: string): number => fieldOf(ram, F.CORE_AT, 'Core', field);
      assert.equal(['index', 'system', 'partner', 'epoch', 'state', 'pages', 'disk_count'].map(core), [
        board,
        1001 + board,
        1002 - board,
        1,
        F.BOARD_NORMAL,
        256,
        6,
      ]);
      assert.is(core('heartbeat_loss_ms'), pair.machine.scenario.boards.heartbeatLossMs);
      assert.is(core('floor_mib'), pair.machine.scenario.boards.rootFloorMib);
      assert.ok(core('cache_lines') >= F.CACHE_AT && core('cache_lines') % F.CACHE_LINE_BYTES === 0);
    }
  });
});

// ---------------------------------------------------------------------------------------------- the firmware image

function leb(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

/** Active data segments of a module: [WebAssembly] 5.5.14 */
function dataSegments(bytes: Uint8Array): { at: number; bytes: number }[] {
  const found: { at: number; bytes: number }[] = [];
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at]!;
    const [size, body] = leb(bytes, at + 1);
    at = body + size;
    if (id !== 11) continue;
    let [count, next] = leb(bytes, body);
    for (; count > 0; count--) {
      assert.equal([bytes[next], bytes[next + 1]], [0, 0x41]); // active, i32.const
      const [address, afterAddress] = leb(bytes, next + 2);
      const [length, start] = leb(bytes, afterAddress + 1);
      found.push({ at: address, bytes: length });
      next = start + length;
    }
  }
  return found;
}

test('static data of the firmware lies where the map has room for it', () => {
  const segments = dataSegments(readFileSync(firmwarePath()));
  assert.ok(segments.length > 0);
  for (const { at, bytes } of segments) {
    assert.ok(at >= F.STATIC_AT && at + bytes <= F.CORE_AT, `${bytes} bytes at ${at.toString(16)}`);
  }
});

// ------------------------------------------------------------------------------------------------ words and fields

function constants(from: Readonly<Record<string, number>>, pattern: RegExp): [string, number][] {
  return Object.entries(from).filter(([name]) => pattern.test(name));
}

/** Widths of fields that are not 32 bits. */
const WIDE: Readonly<Record<string, number>> = {
  MSG_VERSION_AT: 2,
  MSG_BYTES_AT: 2,
  MSG_WWN_AT: 8,
  RECORD_TIME_AT: 8,
  RECORD_MEMORY_AT: 8,
  RECORD_BUILD_AT: 32,
  RECORD_PLACE_AT: F.RECORD_PLACE_BYTES,
  RECORD_TEXT_AT: F.RECORD_TEXT_BYTES,
  MAIL_WWN_AT: 8,
};

for (const [what, from, pattern, room] of [
  ['message', F, /^MSG_\w+_AT$/, F.MSG_BYTES],
  ['panic record', F, /^RECORD_\w+_AT$/, F.RECORD_BYTES],
  ['mailbox slot', L, /^MAIL_\w+_AT$/, L.MAIL_BYTES],
] as const) {
  test(`fields of a ${what} do not overlap and lie within its ${room} bytes`, () => {
    const fields = constants(from, pattern)
      .map(([name, at]) => ({ name, at, end: at + (WIDE[name] ?? 4) }))
      .toSorted((one, other) => one.at - other.at);
    assert.ok(fields.length > 5);
    fields.forEach(({ name, at, end }, i) => {
      assert.ok(i === 0 || fields[i - 1]!.end <= at, name);
      assert.ok(end <= room, name);
      assert.is(at % Math.min(8, WIDE[name] ?? 4), 0, `${name} is aligned`);
    });
  });
}

test('words of the NVRAM are distinct, aligned and within it', () => {
  const words = constants(F, /^NV_(?!BYTES$|NEVER$)/);
  assert.ok(words.length >= 14);
  assert.is(new Set(words.map(([, at]) => at)).size, words.length);
  for (const [name, at] of words) assert.ok(at % 4 === 0 && at + 4 <= F.NV_BYTES, name);
});

for (const [what, pattern] of [
  ['kinds of messages', /^MSG_(?:HEARTBEAT|PANIC|DUMP_ENDED|LEND|LENT|GIVEN|TAKEN)$/],
  ['states of a board', /^BOARD_/],
  ['phases of the loop', /^PHASE_/],
  ['events of the trace', /^EV_/],
  ['reasons to take a disk', /^REASON_/],
] as const) {
  test(`${what} are told apart`, () => {
    const all = constants(F, pattern);
    assert.ok(all.length >= 4);
    assert.is(new Set(all.map(([, value]) => value)).size, all.length);
  });
}

test('a message fits the room for one, and the interconnect', () => {
  assert.ok(F.MSG_BYTES <= F.MESSAGE_ROOM && F.MESSAGE_ROOM <= 256);
});

test.run();
