import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../layout.ts';
import { A, B, CHECK_CONDITION, GOOD, ID_A, type Testbed, threeNexuses } from './testbed.test-helper.ts';

const test = suite('READ BUFFER, WRITE BUFFER');
const length = (bytes: number): number[] => [bytes >> 16, (bytes >> 8) & 255, bytes & 255];
const write = (
  bed: Testbed,
  nexus: number,
  data: readonly number[],
  { mode = 0x0a, bytes = data.length } = {},
) => bed.execute(nexus, [0x3b, mode, 0, 0, 0, 0, ...length(bytes), 0], { out: data });
const read = (bed: Testbed, nexus: number, mode = 0x0a, room = 600) =>
  bed.execute(nexus, [0x3c, mode, 0, 0, 0, 0, ...length(room), 0], { room });
const PATTERN = Array.from({ length: 512 }, (_, i) => (i * 7) & 255);

test('test_readbuffer_echo: what a nexus wrote comes back [SPC-4] 6.17.8', () => {
  const bed = threeNexuses();
  for (const bytes of [512, 4, 1]) {
    assert.is(write(bed, A, PATTERN.slice(0, bytes)).status, GOOD);
    assert.equal([...read(bed, A).data], PATTERN.slice(0, bytes));
    assert.is(read(bed, A, 0x0a, 2).moved, Math.min(2, bytes));
  }
});

test('test_readbuffer_echo_descriptor: 512 bytes, and an overwritten buffer is noticed [SPC-4] 6.17.9', () => {
  assert.equal([...read(threeNexuses(), A, 0x0b).data], [1, 0, 2, 0]);
});

test('test_readbuffer_echo_sequence: who has written nothing is told so [SPC-4] 6.17.8', () => {
  const bed = threeNexuses();
  assert.equal([read(bed, A).status, read(bed, A).sense], [CHECK_CONDITION, 0x052c00]);
  write(bed, B, [1, 2, 3]);
  assert.is(read(bed, A).sense, 0x052c00);
});

test('test_readbuffer_echo_overwritten: another has written meanwhile [SPC-4] 6.17.8', () => {
  const bed = threeNexuses();
  write(bed, A, [1, 2, 3]);
  write(bed, B, [4]);
  assert.is(read(bed, A).sense, 0x0b3f0f);
  assert.equal([...read(bed, B).data], [4]);
});

test('a reset, power loss, or a new log-in of the nexus forgets what was written', () => {
  for (const happens of [
    (bed: Testbed) => bed.call.lu_reset(bed.lu, L.RESET_LOGICAL_UNIT),
    (bed: Testbed) => bed.powerCycle(),
    (bed: Testbed) => bed.login(A, ID_A),
  ]) {
    const bed = threeNexuses();
    write(bed, A, [1, 2, 3]);
    happens(bed);
    bed.drain(A);
    assert.is(read(bed, A).sense, 0x052c00);
  }
});

for (const mode of [0x00, 0x02, 0x03, 0x05, 0x1c, 0x1f])
  test(`test_buffer_mode_${mode.toString(16)}: not built in, refused by both [SPC-4] 6.17.1, 6.49.1`, () => {
    const bed = threeNexuses();
    for (const o of [read(bed, A, mode), write(bed, A, [1, 2, 3, 4], { mode })])
      assert.equal([o.sense, o.field, o.bit], [0x052400, 1, 4]);
  });

test('test_writebuffer_length: more than the buffer holds, or than is sent, changes nothing [SPC-4] 6.49', () => {
  const bed = threeNexuses();
  write(bed, A, [9]);
  const long = write(bed, A, [...PATTERN, 0]);
  assert.equal([long.sense, long.field], [0x052400, 6]);
  assert.is(write(bed, A, [1, 2], { bytes: 3 }).sense, 0x051a00);
  assert.equal([...read(bed, A).data], [9]);
});

test.run();
