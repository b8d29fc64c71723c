/**
 * Aspects that every command has, for every command that there is: what REPORT SUPPORTED OPERATION CODES tells of it
 * is held against what it does.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import {
  A,
  B,
  CHECK_CONDITION,
  GOOD,
  ID_A,
  ID_B,
  KEY_A,
  KEY_B,
  RESERVATION_CONFLICT,
  type Testbed,
  threeNexuses,
} from './testbed.test-helper.ts';

const test = suite('every command');
const FLAGS = L.LU_FLAG_WRITE_CACHE | L.LU_FLAG_THIN;

interface Command {
  name: string;
  usage: number[];
  action: number | null;
}

/** [SPC-4] 6.35: each command with its usage data. */
function commandsOf(bed: Testbed): Command[] {
  const ask = (options: number, opcode: number, action: number) =>
    bed.execute(A, [0xa3, 0x0c, options, opcode, 0, action, 0, 0, 0, 64, 0, 0], { room: 64 });
  const { data } = bed.execute(A, [0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0], { room: 4096 });
  return Array.from({ length: (data.length - 4) / 8 }, (_, i): Command => {
    const at = 4 + i * 8;
    const opcode = data[at]!;
    const action = data[at + 5]! & 1 ? data[at + 3]! : null;
    const told = ask(action === null ? 1 : 2, opcode, action ?? 0).data;
    const name = `${opcode.toString(16).padStart(2, '0')}h${action === null ? '' : `/${action.toString(16).padStart(2, '0')}h`}`;
    return { name, usage: [...told.subarray(4)], action };
  });
}

const bed = threeNexuses({ flags: FLAGS });
const COMMANDS = commandsOf(bed);
/** The command with nothing asked for. */
const plain = ({ usage, action }: Command): number[] =>
  usage.map((byte, i) => (i === 0 ? byte : i === 1 ? (action ?? 0) : 0));
/** A unit as it was, whatever was done to it before. */
function fresh(): void {
  bed.create({ flags: FLAGS });
  bed.attach(A, ID_A, 1);
  bed.attach(B, ID_B, 1);
}

test('there are sixty and more', () => {
  assert.ok(COMMANDS.length >= 60, `${COMMANDS.length}`);
});

test('a bit outside the usage data is refused and pointed at, in every command [SPC-4] 4.2.5, 6.35.3', () => {
  let bits = 0;
  for (const command of COMMANDS) {
    fresh();
    for (let byte = 1; byte < command.usage.length; byte++) {
      for (let bit = 0; bit < 8; bit++) {
        const used = command.usage[byte]! | (byte === 1 && command.action !== null ? 0x1f : 0);
        if (used & (1 << bit)) continue;
        const cdb = plain(command);
        cdb[byte]! |= 1 << bit;
        const o = bed.execute(A, cdb, { room: 512 });
        assert.equal(
          [o.status, o.sense, o.inCdb, o.field, o.bit, o.moved, o.action],
          [CHECK_CONDITION, 0x052400, true, byte, bit, 0, L.ACTION_NONE],
          `${command.name} byte ${byte} bit ${bit}`,
        );
        bits++;
      }
    }
  }
  assert.ok(bits > 1500, `${bits} bits`);
});

test('NACA is refused by every command, as NORMACA is 0 [SAM-5] 5.2, [SPC-4] 6.6.2', () => {
  fresh();
  for (const command of COMMANDS) {
    const cdb = plain(command);
    cdb[cdb.length - 1] = 4;
    const { sense, field, bit } = bed.execute(A, cdb, { room: 64 });
    assert.equal([sense, field, bit], [0x052400, cdb.length - 1, 2], command.name);
  }
  assert.is(bed.execute(A, [0x12, 0, 0, 0, 96, 0], { room: 96 }).data[3]! & 0x20, 0, 'NORMACA');
});

test('a CDB that ends before its length by group code is refused, and one that is longer is not [SPC-4] 4.2.5.1', () => {
  for (const command of COMMANDS) {
    fresh();
    const cdb = plain(command);
    for (let bytes = 1; bytes < cdb.length; bytes++) {
      // byte 1 may hold the service action that says which command it is
      if (bytes === 1 && command.action !== null && command.action > 0) continue;
      const { status, sense } = bed.execute(A, cdb.slice(0, bytes), { room: 64 });
      assert.equal([status, sense], [CHECK_CONDITION, 0x052400], `${command.name}, ${bytes} bytes`);
    }
    const longer = bed.execute(A, [...cdb, 0, 0, 0, 0, 0, 0].slice(0, 16), { room: 64 });
    fresh();
    const exact = bed.execute(A, cdb, { room: 64 });
    assert.equal([longer.status, longer.sense], [exact.status, exact.sense], command.name);
  }
});

test('a pending unit attention is told by every command but INQUIRY, REPORT LUNS and REQUEST SENSE [SAM-5] 5.14', () => {
  for (const command of COMMANDS) {
    fresh();
    bed.call.lu_reset(bed.lu, L.RESET_LOGICAL_UNIT);
    const { status, sense } = bed.execute(A, plain(command), { room: 64 });
    if (['12h', 'a0h', '03h'].includes(command.name)) assert.is(status, GOOD, command.name);
    else assert.equal([status, sense], [CHECK_CONDITION, 0x062903], command.name);
  }
});

test('what a host is told to fetch before it executes a command is what the command reads', () => {
  for (const command of COMMANDS) {
    fresh();
    bed.bytes.set([...plain(command), ...Array<number>(16).fill(0)].slice(0, 16), bed.out);
    const kind = bed.call.lu_command(bed.lu, bed.out);
    assert.is(kind & L.COMMAND_KNOWN, L.COMMAND_KNOWN, command.name);
    const { action } = bed.execute(A, plain(command), { room: 512, outBytes: 512 });
    if (kind & L.COMMAND_LIST) continue;
    if (action !== L.ACTION_NONE && command.name !== '1bh')
      assert.ok(kind & L.COMMAND_MEDIUM, `${command.name} has action ${action}`);
  }
});

/** By opcode, and service action where it counts: what a nexus may do past another's reservation that reads are free of. */
const ALWAYS = new Set([
  '00h',
  '03h',
  '12h',
  '25h',
  '4dh',
  'a0h',
  '9eh/10h',
  '1eh',
  '84h/03h',
  '84h/04h',
  '84h/01h',
]);
const READ_ONLY = new Set([
  '08h',
  '28h',
  'a8h',
  '88h',
  '2fh',
  'afh',
  '8fh',
  '34h',
  '90h',
  '37h',
  'b7h',
  '1ah',
  '5ah',
  '1ch',
  '3ch',
  '9eh/12h',
  'a3h/0ch',
  'a3h/0dh',
]);
for (const type of [1, 3, 5, 6, 7, 8])
  test(`another’s reservation of type ${type}: each command is let through or kept out as the tables say [SPC-4] table 65, [SBC-3] table 13`, () => {
    for (const isRegistered of [false, true]) {
      for (const command of COMMANDS) {
        if (/^5[ef]h/.test(command.name)) continue; // table 66 is in its own tests
        fresh();
        bed.prOut(A, 0, { actionKey: KEY_A });
        if (isRegistered) bed.prOut(B, 0, { actionKey: KEY_B });
        assert.is(bed.prOut(A, 1, { key: KEY_A, type }).status, GOOD);
        const free =
          ALWAYS.has(command.name) ||
          command.name.startsWith('84h') ||
          (READ_ONLY.has(command.name) && [1, 5, 7].includes(type)) ||
          (isRegistered && type >= 5);
        const { status } = bed.execute(B, plain(command), { room: 512, outBytes: 512 });
        assert.is(status === RESERVATION_CONFLICT, !free, `${command.name}, registered: ${isRegistered}`);
      }
    }
  });

test('a reservation of RESERVE by another keeps out all but the few [SPC-2] table 9', () => {
  const free = ['03h', '12h', '25h', '4dh', 'a0h', '9eh/10h', '17h', '57h', '1eh'];
  for (const command of COMMANDS) {
    fresh();
    assert.is(bed.execute(A, [0x16, 0, 0, 0, 0, 0]).status, GOOD);
    const { status } = bed.execute(B, plain(command), { room: 512, outBytes: 512 });
    assert.is(status === RESERVATION_CONFLICT, !free.includes(command.name), command.name);
  }
});

test.run();
