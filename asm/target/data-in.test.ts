/** What every command with parameter data does with its allocation length, and with the initiator's buffer. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import { A, B, GOOD, KEY_A, KEY_B, threeNexuses } from './testbed.test-helper.ts';

const test = suite('parameter data');

/** Name, CDB, and where its allocation length lies: first byte, bytes. */
const COMMANDS: readonly (readonly [name: string, cdb: readonly number[], at: number, bytes: number])[] = [
  ['request_sense', [0x03, 0, 0, 0, 0, 0], 4, 1],
  ['request_sense_descriptor', [0x03, 1, 0, 0, 0, 0], 4, 1],
  ['inquiry', [0x12, 0, 0, 0, 0, 0], 3, 2],
  ...[0x00, 0x80, 0x83, 0x86, 0x88, 0xb0, 0xb1, 0xb2].map(
    (page) => [`inquiry_${page.toString(16)}`, [0x12, 1, page, 0, 0, 0], 3, 2] as const,
  ),
  ['mode_sense_6', [0x1a, 0, 0x3f, 0xff, 0, 0], 4, 1],
  ['mode_sense_10', [0x5a, 0x10, 0x3f, 0xff, 0, 0, 0, 0, 0, 0], 7, 2],
  ['receive_diagnostic', [0x1c, 1, 0, 0, 0, 0], 3, 2],
  ['read_buffer', [0x3c, 0x0b, 0, 0, 0, 0, 0, 0, 0, 0], 6, 3],
  ...[0x00, 0x02, 0x0d, 0x0e, 0x10, 0x2f].map(
    (page) => [`log_sense_${page.toString(16)}`, [0x4d, 0, 0x40 | page, 0, 0, 0, 0, 0, 0, 0], 7, 2] as const,
  ),
  ...[0, 1, 2, 3].map(
    (action) => [`persistent_reserve_in_${action}`, [0x5e, action, 0, 0, 0, 0, 0, 0, 0, 0], 7, 2] as const,
  ),
  ['read_capacity_16', [0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 10, 4],
  ['report_luns', [0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 6, 4],
  ['report_opcodes', [0xa3, 0x0c, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0], 6, 4],
  ['report_opcode', [0xa3, 0x0c, 0x81, 0x28, 0, 0, 0, 0, 0, 0, 0, 0], 6, 4],
  ['report_tmfs', [0xa3, 0x0d, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0], 6, 4],
];

const bed = threeNexuses();
bed.prOut(A, 0, { actionKey: KEY_A });
bed.prOut(B, 0, { actionKey: KEY_B });
bed.prOut(A, 1, { key: KEY_A, type: 5 });
const ROOM = 4096;

for (const [name, cdb, at, bytes] of COMMANDS) {
  const allocate = (length: number): number[] => {
    const allocated = [...cdb];
    for (let i = 0; i < bytes; i++) allocated[at + bytes - 1 - i] = (length >>> (8 * i)) & 255;
    return allocated;
  };
  const most = bytes === 1 ? 255 : ROOM;

  test(`test_${name}_alloclen: none, short, exact and more than there is [SPC-4] 4.2.5.6`, () => {
    const whole = bed.execute(A, allocate(most), { room: ROOM });
    assert.is(whole.status, GOOD);
    const total = whole.data.length;
    assert.ok(total >= 4 && total <= most, `${total} bytes`);
    for (const length of [0, 1, 3, 4, 5, total - 1, total, total + 1]) {
      if (length > most) continue;
      const o = bed.execute(A, allocate(length), { room: ROOM });
      const moved = Math.min(length, total);
      assert.equal(
        [o.status, o.moved, o.residual, o.overflow, o.action],
        [GOOD, moved, ROOM - moved, 0, L.ACTION_NONE],
        `allocation length ${length}`,
      );
      assert.equal(o.data, whole.data.slice(0, moved), 'what is returned is the beginning, unchanged');
    }
  });

  test(`test_${name}_residual: a buffer that is shorter than the allocation length gets what it holds [SAM-5] 5.4.2`, () => {
    const whole = bed.execute(A, allocate(most), { room: ROOM });
    const total = whole.data.length;
    for (const room of [0, 1, total - 1]) {
      const o = bed.execute(A, allocate(total), { room });
      assert.equal(
        [o.status, o.moved, o.residual, o.overflow],
        [GOOD, room, total - room, 1],
        `a buffer of ${room}`,
      );
      assert.equal(o.data, whole.data.slice(0, room));
    }
  });
}

test.run();
