import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import { A, CHECK_CONDITION, type Testbed, read10, threeNexuses } from './testbed.test-helper.ts';

const test = suite('table of commands');
const bed = threeNexuses();
const kind = (cdb: readonly number[], on: Testbed = bed): number => {
  on.bytes.fill(0, on.out, on.out + 32);
  on.bytes.set(cdb, on.out);
  return on.call.lu_command(on.lu, on.out);
};

test('a host learns which commands there are, which have a parameter list, and which wait for the medium', () => {
  assert.is(kind([0x28]), L.COMMAND_KNOWN | L.COMMAND_MEDIUM, 'READ(10)');
  assert.is(kind([0x12]), L.COMMAND_KNOWN, 'INQUIRY');
  assert.is(kind([0x15]), L.COMMAND_KNOWN | L.COMMAND_LIST, 'MODE SELECT(6)');
  assert.is(kind([0x5f, 6]), L.COMMAND_KNOWN | L.COMMAND_LIST, 'PERSISTENT RESERVE OUT REGISTER AND IGNORE');
  assert.is(kind([0x5f, 31]), 0, 'no such service action');
  assert.is(kind([0xff]), 0, 'no such operation code');
});

test('a CDB that is shorter than its operation code says is refused: bytes are missing [SPC-4] 4.2.5.1', () => {
  for (let bytes = 1; bytes < 10; bytes++) {
    const { status, sense } = bed.execute(A, read10(0, 1).slice(0, bytes), { room: 512 });
    assert.equal([status, sense], [CHECK_CONDITION, 0x052400], `${bytes} bytes`);
  }
  assert.is(bed.execute(A, [...read10(0, 1), 0, 0, 0, 0, 0, 0], { room: 512 }).action, L.ACTION_READ);
});

test('one opcode that is not there is told from a service action that is not there [SPC-4] annex E.2', () => {
  assert.is(bed.execute(A, [0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).sense, 0x052000);
  const other = bed.execute(A, [0x9e, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal([other.sense, other.field, other.bit], [0x052400, 1, 4]);
});

test.run();
