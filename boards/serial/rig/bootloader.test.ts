/** The bootloader as a host and an attacker see it: what boots, what is refused, and what it is to be asked. */
import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../../firmware/bootloader/layout.ts';
import { parseImage } from '../../image/image.ts';
import { type ImageChoice, imageOf, keyOf } from '../rig.test-helper.ts';
import { frameOf } from '../smp/frame.ts';
import { OP_READ, requestOf } from '../smp/packet.ts';
import { ECHO, ERASE, HandBoard, RESET, SET_STATE, STATE, UPLOAD } from './bench.test-helper.ts';
import { NorFlash } from './flash.ts';
import { slotAt } from './slot.ts';

const test = suite('bootloader');
const ACK = 0x79;
const NACK = 0x1f;

const shaOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** Uploads and selects, whatever the image is; the board's answer to the selection. */
function install(board: HandBoard, choice: ImageChoice, confirm = false): Record<string, unknown> | null {
  const image = imageOf({ bytes: 300, ...choice });
  assert.ok(board.upload(image, shaOf(image)));
  return board.ask(SET_STATE, { hash: parseImage(image).digest, confirm });
}

/** Major version of what runs, 0 in recovery. */
function running(board: HandBoard): number {
  if (board.running === null) return 0;
  for (let major = 1; major < 10; major++) {
    const { payload } = parseImage(imageOf({ bytes: 300, major }));
    if (Buffer.compare(payload, board.running.payload) === 0) return major;
  }
  return -1;
}

function recover(board: HandBoard): void {
  board.rig.recovery = true;
  board.rig.reset();
}

interface Listed {
  slot: number;
  version: string;
  pending: boolean;
  confirmed: boolean;
  active: boolean;
  bootable: boolean;
}
const list = (board: HandBoard): Listed[] => board.ask(STATE)?.['images'] as unknown as Listed[];

test('a board without an image stays in recovery and answers', () => {
  const board = new HandBoard();
  board.host.pass(5000);
  assert.is(board.rig.mode, 'recovery');
  assert.is(board.ask(ECHO, { d: 'hello' })?.['r'], 'hello');
  assert.equal(list(board), []);
});

test('an image boots on trial once, stays when it is confirmed, and never again when it is not', () => {
  const board = new HandBoard();
  install(board, { major: 1 }, true);
  board.boot();
  assert.is(running(board), 1);
  recover(board);
  install(board, { major: 2 });
  assert.equal(
    list(board).map(({ slot, version, pending, active }) => [slot, version, pending, active]),
    [
      [0, '1.0.0', false, false],
      [1, '2.0.0', true, true],
    ],
  );
  board.boot();
  assert.is(running(board), 2);
  board.boot();
  assert.is(running(board), 1);
  board.boot();
  assert.is(running(board), 1);
  recover(board);
  assert.is(list(board)[1]!.bootable, false);
  // The host may have it tried again.
  install(board, { major: 2 });
  board.boot();
  assert.is(running(board), 2);
  board.running!.confirm();
  for (let n = 0; n < 3; n++) board.boot();
  assert.is(running(board), 2);
});

test('uploading an image that is there already sends no byte of it again', () => {
  const board = new HandBoard();
  const image = imageOf({ bytes: 3000 });
  assert.ok(board.upload(image, shaOf(image)));
  const operations = board.flash.operations;
  board.rig.reset();
  const reply = board.ask(UPLOAD, {
    image: 0,
    off: 0,
    len: image.length,
    sha: shaOf(image),
    data: image.subarray(0, 64),
  });
  assert.is(reply?.['off'], image.length);
  assert.is(reply?.['match'], true);
  assert.is(board.flash.operations, operations);
});

test('the last answer of an upload says whether the board has what was sent', () => {
  const board = new HandBoard();
  const image = imageOf({ bytes: 100 });
  const reply = board.ask(UPLOAD, {
    image: 0,
    off: 0,
    len: image.length,
    sha: new Uint8Array(32),
    data: image,
  });
  assert.is(reply?.['off'], image.length);
  assert.is(reply?.['match'], false);
});

test('what is not ours is refused by its name, and does not boot', () => {
  for (const [choice, image] of [
    [{ key: keyOf(2) }, L.IMAGE_KEY],
    [{ board: L.KIND_CORTEX_M }, L.IMAGE_BOARD],
  ] as const) {
    const board = new HandBoard();
    assert.is(install(board, choice)?.['rc'], L.SMP_IMAGE + image);
    board.boot();
    assert.is(board.rig.mode, 'recovery');
  }
});

test('an image with the name of our key and the signature of another is refused', () => {
  const board = new HandBoard();
  const good = imageOf({ bytes: 300 });
  const forged = Buffer.from(imageOf({ bytes: 300, key: keyOf(2) }));
  forged.set(parseImage(good).keyHash, forged.indexOf(parseImage(forged).keyHash));
  assert.ok(board.upload(forged, shaOf(forged)));
  const reply = board.ask(SET_STATE, { hash: parseImage(forged).digest, confirm: true });
  assert.is(reply?.['rc'], L.SMP_IMAGE + L.IMAGE_SIGNATURE);
  board.boot();
  assert.is(board.rig.mode, 'recovery');
});

test('no changed bit of an image in flash boots', () => {
  const image = imageOf({ bytes: 40 });
  const board = new HandBoard();
  board.upload(image, shaOf(image));
  board.ask(SET_STATE, { hash: parseImage(image).digest, confirm: true });
  const contents = board.flash.bytes.slice();
  for (let bit = 0; bit < image.length * 8; bit += 11) {
    const flash = new NorFlash({ contents });
    flash.bytes[slotAt(0) + (bit >> 3)]! ^= 1 << (bit & 7);
    const spoiled = new HandBoard(flash);
    spoiled.boot();
    assert.is(spoiled.rig.mode, 'recovery', `bit ${bit}`);
  }
});

test('when the newest image rots in flash, the one before it boots', () => {
  const board = new HandBoard();
  install(board, { major: 1 }, true);
  board.boot();
  recover(board);
  install(board, { major: 2 }, true);
  board.boot();
  assert.is(running(board), 2);
  board.flash.bytes[slotAt(1) + 100]! ^= 1;
  board.boot();
  assert.is(running(board), 1);
});

test('a downgrade of the security counter is refused, also of what lies in the other slot', () => {
  const board = new HandBoard();
  install(board, { major: 1, counter: 1 }, true);
  board.boot();
  recover(board);
  install(board, { major: 2, counter: 2 }, true);
  board.boot();
  assert.is(running(board), 2);
  board.flash.bytes[slotAt(1) + 100]! ^= 1;
  board.boot();
  assert.is(board.rig.mode, 'recovery'); // 1.0.0 is good, and too old
  assert.is(install(board, { major: 3, counter: 1 })?.['rc'], L.SMP_IMAGE + L.IMAGE_DOWNGRADE);
  install(board, { major: 4, counter: 2 }, true);
  board.boot();
  assert.is(running(board), 4);
});

test('an image on trial does not raise the counter: the one before it can come back', () => {
  const board = new HandBoard();
  install(board, { major: 1, counter: 1 }, true);
  board.boot();
  recover(board);
  install(board, { major: 2, counter: 9 });
  board.boot();
  assert.is(running(board), 2);
  board.boot();
  assert.is(running(board), 1);
});

const counterOf = (of: HandBoard): unknown => {
  recover(of);
  return of.ask({ op: OP_READ, group: L.SMP_GROUP_BOARD, id: 0 })?.['counter'];
};

test('a full counter log goes on in its other sector, whenever the power is cut', () => {
  const board = new HandBoard();
  install(board, { major: 1, counter: 700 }, true);
  const each = L.COUNTER_BYTES / L.UNIT_BYTES;
  const entries = L.COUNTER_SECTORS * each;
  const words = new DataView(board.flash.bytes.buffer, L.COUNTER_AT);
  for (let n = 0; n < entries; n++) {
    const at = Math.floor(n / each) * L.SECTOR_BYTES + (n % each) * L.UNIT_BYTES;
    words.setUint32(at, n + 1, true);
    words.setUint32(at + 4, ~(n + 1) >>> 0, true);
  }
  const contents = board.flash.bytes.slice();
  for (let operation = 0; operation < 2; operation++) {
    for (const place of ['inside', 'after'] as const) {
      const flash = new NorFlash({ contents, seed: place });
      const it = new HandBoard(flash);
      flash.plan = { operation, place };
      it.boot();
      assert.is(it.rig.mode, 'off');
      assert.ok([entries, 700].includes(Number(counterOf(it))), `${String(counterOf(it))}`);
      it.boot();
      assert.is(running(it), 1);
      assert.is(counterOf(it), 700);
      assert.is(flash.violations, 0);
    }
  }
});

test('a board that the factory forgot trusts nobody, and says so', () => {
  const board = new HandBoard();
  board.flash.bytes[L.BOARD_AT + L.BOARD_KEY_AT]! ^= 1;
  board.rig.reset();
  const about = board.ask({ op: OP_READ, group: L.SMP_GROUP_BOARD, id: 0 });
  assert.is(about?.['key'], undefined);
  assert.is(install(board, {})?.['rc'], L.SMP_IMAGE + L.IMAGE_UNPROVISIONED);
  board.boot();
  assert.is(board.rig.mode, 'recovery');
});

test('before an image boots a host may speak up; noise alone does not hold the board', () => {
  const board = new HandBoard();
  install(board, {}, true);
  board.rig.reset();
  board.host.pass(L.WAIT_MS - 20);
  assert.is(board.rig.mode, 'waiting');
  assert.ok(board.ask(ECHO, { d: 'stay' }));
  board.host.pass(5000);
  assert.is(board.rig.mode, 'recovery');
  board.rig.reset();
  for (let n = 0; n < 200 && board.rig.mode === 'waiting'; n++) {
    board.feed(Uint8Array.of(0x55));
    board.host.pass(20);
  }
  assert.is(running(board), 1);
  assert.ok(board.host.now() / 1e6 < 20_000);
});

test('a strap keeps a board in recovery that could boot', () => {
  const board = new HandBoard(new NorFlash(), { recovery: true });
  install(board, {}, true);
  board.boot();
  assert.is(board.rig.mode, 'recovery');
});

test('reset answers first, and then the image boots', () => {
  const board = new HandBoard();
  install(board, {});
  assert.equal({ ...board.ask(RESET) }, {});
  board.host.pass(2000);
  assert.is(running(board), 1);
});

test('erase takes the slot that is not kept', () => {
  const board = new HandBoard();
  install(board, { major: 1 }, true);
  board.boot();
  recover(board);
  install(board, { major: 2 });
  assert.equal({ ...board.ask(ERASE) }, {});
  assert.equal(
    list(board).map(({ version }) => version),
    ['1.0.0'],
  );
  board.boot();
  assert.is(running(board), 1);
});

test('while an image is on trial a new upload takes its slot, never that of the confirmed one', () => {
  const board = new HandBoard();
  install(board, { major: 1 }, true);
  board.boot();
  recover(board);
  install(board, { major: 2 });
  install(board, { major: 3 });
  board.boot();
  assert.is(running(board), 3);
  board.boot();
  assert.is(running(board), 1);
});

test('a chunk that comes twice, too early, or is too long changes nothing', () => {
  const board = new HandBoard();
  const image = imageOf({ bytes: 1000 });
  const send = (at: number, end: number, head = {}): unknown =>
    board.ask(UPLOAD, { ...head, off: at, data: image.subarray(at, end) })?.['off'];
  assert.is(send(100, 200), 0); // before it began
  const head = { image: 0, len: image.length, sha: shaOf(image) };
  assert.is(send(0, 100, head), 100);
  assert.is(send(0, 100, head), 100);
  assert.is(send(300, 400), 100);
  assert.is(send(100, 250), 250);
  assert.is(send(100, 250), 250);
  const rest = Buffer.concat([image.subarray(250), Buffer.alloc(1)]);
  assert.is(board.ask(UPLOAD, { off: 250, data: rest })?.['rc'], L.SMP_INVALID);
  assert.is(send(250, image.length), image.length);
  assert.is(board.flash.violations, 0);
  assert.equal(new Uint8Array(board.flash.read(slotAt(0), image.length)), new Uint8Array(image));
});

test('what is larger than a slot, or no image, is refused with its first chunk, before anything is erased', () => {
  const board = new HandBoard();
  const operations = board.flash.operations;
  const begin = (len: number, data: Uint8Array): unknown =>
    board.ask(UPLOAD, { image: 0, off: 0, len, data })?.['rc'];
  assert.is(begin(L.IMAGE_MAX + 1, imageOf({ bytes: 300 })), L.SMP_INVALID);
  assert.is(begin(0, new Uint8Array()), L.SMP_INVALID);
  assert.is(begin(1000, new Uint8Array(100)), L.SMP_IMAGE + L.IMAGE_NONE);
  assert.is(board.flash.operations, operations);
});

test('commands and groups that it does not have are refused, not dropped', () => {
  const board = new HandBoard();
  for (const [group, id] of [
    [0, 3],
    [1, 4],
    [2, 0],
    [64, 1],
    [65535, 0],
  ] as const) {
    assert.is(board.ask({ op: 2, group, id })?.['rc'], L.SMP_UNSUPPORTED, `${group}/${id}`);
  }
});

test('a request of the largest size that it names is answered, and a larger one is not', () => {
  const board = new HandBoard();
  const longest = L.SMP_BUFFER_BYTES - requestOf(ECHO, 0, { d: 'x'.repeat(1000) }).length + 1000;
  assert.is(requestOf(ECHO, 0, { d: 'x'.repeat(longest) }).length, L.SMP_BUFFER_BYTES);
  assert.is(board.ask(ECHO, { d: 'x'.repeat(longest) })?.['rc'], L.SMP_INVALID); // the reply would not fit
  assert.is(board.ask(ECHO, { d: 'x'.repeat(2000) })?.['r'], 'x'.repeat(2000));
  assert.is(board.ask(ECHO, { d: 'x'.repeat(longest + 200) }), null);
  assert.ok(board.ask(ECHO, { d: 'again' }));
});

test('AN3155: identity, and what it reads, writes, erases and refuses', () => {
  const board = new HandBoard();
  assert.equal(board.tell(0x7f), [ACK]);
  assert.equal(board.tell(0x7f, 0x7f), [NACK]); // synchronised already
  assert.equal(board.tell(0x00, 0xff), [ACK, 8, L.STM32_VERSION, 0, 1, 2, 0x11, 0x21, 0x31, 0x43, 0x44, ACK]);
  assert.equal(board.tell(0x01, 0xfe), [ACK, L.STM32_VERSION, 0, 0, ACK]);
  assert.equal(board.tell(0x02, 0xfd), [ACK, 1, 0x04, 0x15, ACK]);
  const write = (address: number[], data: number[]): number[] => [
    ...board.tell(0x31, 0xce),
    ...board.tell(
      ...address,
      address.reduce((sum, byte) => sum ^ byte, 0),
    ),
    ...board.tell(
      data.length - 1,
      ...data,
      data.reduce((sum, byte) => sum ^ byte, data.length - 1),
    ),
  ];
  const begin = [8, 0, 0, 0];
  assert.equal(write(begin, [1, 2, 3, 4]), [ACK, ACK, ACK]);
  assert.equal(write(begin, [1, 2, 3, 4]), [ACK, ACK, ACK]); // again, as after a lost answer
  assert.equal(write(begin, [9, 2, 3, 4]), [ACK, ACK, NACK]); // not erased
  assert.equal(write([8, 0, 0, 4], [1, 2, 3, 4]), [ACK, ACK, NACK]); // not a unit
  assert.equal(board.tell(0x11, 0xee), [ACK]);
  assert.equal(board.tell(...begin, 8), [ACK]);
  assert.equal(board.tell(7, 0xf8), [ACK, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff]);
  assert.equal(board.tell(0x43, 0xbc), [ACK]);
  assert.equal(board.tell(0, 0, 0), [ACK]); // page 0
  assert.equal(write(begin, [9, 2, 3, 4]), [ACK, ACK, ACK]);
  assert.equal(board.tell(0x44, 0xbb), [ACK]);
  assert.equal(board.tell(0, 1, 0, 0, 0, 1, 0), [ACK]); // pages 0 and 1
  assert.equal(board.tell(0x44, 0xbb), [ACK]);
  assert.equal(board.tell(0, 0, 0x03, 0x00, 0x03), [NACK]); // beyond the window
  assert.equal(board.tell(0x11, 0xee), [ACK]);
  assert.equal(board.tell(0x20, 0, 0, 0, 0x20), [NACK]); // RAM
  assert.equal(board.tell(0x31, 0xcd), [NACK]); // checksum
  assert.equal(board.tell(0x63, 0x9c), [NACK]); // write protect: not there
  assert.is(board.flash.violations, 0);
});

test('AN3155: page after page erased and written, a page takes along what is left of the old image in its sector', () => {
  const board = new HandBoard();
  const window = slotAt(0);
  const old = new Uint8Array(L.UNIT_BYTES);
  for (const page of [1, 31, 32]) board.flash.write(window + page * L.STM32_PAGE_BYTES, old);
  board.tell(0x7f);
  const erase = (page: number): number[] => [
    ...board.tell(0x44, 0xbb),
    ...board.tell(0, 0, page >> 8, page & 255, (page >> 8) ^ (page & 255)),
  ];
  const first = (page: number): number =>
    board.flash.read(window + page * L.STM32_PAGE_BYTES, L.UNIT_BYTES)[0]!;
  assert.equal(erase(0), [ACK, ACK]); // blank: nothing goes
  assert.equal([1, 31, 32].map(first), [0, 0, 0]);
  assert.equal(erase(1), [ACK, ACK]);
  assert.equal([1, 31, 32].map(first), [0xff, 0xff, 0]);
  assert.equal(erase(32), [ACK, ACK]);
  assert.is(first(32), 0xff);
  assert.is(board.flash.violations, 0);
});

test('AN3155: Go starts only what would boot', () => {
  const board = new HandBoard();
  board.tell(0x7f);
  assert.equal([...board.tell(0x21, 0xde), ...board.tell(8, 0, 0, 0, 8)], [ACK, NACK]);
});

test('SMP goes on after AN3155, without a reset', () => {
  const board = new HandBoard();
  board.tell(0x7f);
  board.feed(frameOf(requestOf(ECHO, 0, { d: 'x' })).subarray(0, 20)); // and half a frame
  board.host.pass(1500);
  assert.is(board.ask(ECHO, { d: 'here' })?.['r'], 'here');
});

test('every image, trailer and counter lies where the layout says, and nothing overlaps', () => {
  assert.ok(L.COUNTER_AT + L.COUNTER_SECTORS * L.SECTOR_BYTES <= L.SLOT_AT);
  assert.is(L.SLOT_AT % L.SECTOR_BYTES, 0);
  assert.is(L.SLOT_BYTES % L.PIECE_BYTES, 0);
  assert.is(L.PIECE_BYTES % L.SECTOR_BYTES, 0);
  const marks = [
    [L.UPLOAD_AT, L.UPLOAD_BYTES],
    [L.PIECES_AT, L.PIECES * L.UNIT_BYTES],
    [L.ORDER_AT, L.UNIT_BYTES],
    [L.REJECTED_AT, L.UNIT_BYTES],
    [L.TRIED_AT, L.UNIT_BYTES],
    [L.CONFIRMED_AT, L.UNIT_BYTES],
    [L.MAGIC_AT, 16],
  ] as const;
  let end = L.TRAILER_AT;
  for (const [at, bytes] of marks) {
    assert.ok(at >= end && at % L.UNIT_BYTES === 0);
    end = at + bytes;
  }
  assert.is(end, L.SLOT_BYTES);
});

test.run();
