import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fuzzPdus } from './fuzz-pdu.ts';

for (const seed of ['1', '2', '3']) {
  test(`20000 PDUs, right, wrong and mutilated, harm no other session and leave nothing behind (seed ${seed})`, async () => {
    const { connections, sessions, compared } = await fuzzPdus(20_000, seed);
    assert.ok(connections > 100, `${connections} connections`);
    assert.ok(sessions > 100, `${sessions} sessions`);
    assert.ok(compared > 100, `${compared} reads compared`);
  });
}

test.run();
