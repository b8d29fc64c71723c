import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Initiator, OPERATIONAL, keysOf, text } from './initiator.test-helper.ts';
import { TARGETS, type Rig, withRig } from './rig.test-helper.ts';

const NAME = 'iqn.2026-01.test:i';
const NORMAL = { InitiatorName: NAME, SessionType: 'Normal', TargetName: TARGETS[0] };
const SECURITY = 0x00;
const TO_OPERATIONAL = 0x81;
const TO_FULL = 0x83;
const OPERATIONAL_TO_FULL = 0x87;
const LOGIN = { target: TARGETS[0] };

const statusOf = async (i: Initiator): Promise<number> => (await i.receive()).header.readUInt16BE(36);
const step = async (i: Initiator, flags: number, keys: Record<string, string>) => {
  i.loginRequest(LOGIN, flags, keys);
  const pdu = await i.receive();
  return { status: pdu.header.readUInt16BE(36), flags: pdu.flags, keys: keysOf(pdu.data), pdu };
};

test(
  'security, then operational, then the full feature phase',
  withRig(async (rig) => {
    const i = rig.connect();
    const security = await step(i, TO_OPERATIONAL, { ...NORMAL, AuthMethod: 'CHAP,None' });
    assert.equal([security.status, security.flags], [0, TO_OPERATIONAL]);
    assert.equal(security.keys, { TargetPortalGroupTag: '1', AuthMethod: 'None' });
    i.loginRequest(LOGIN, OPERATIONAL_TO_FULL, OPERATIONAL);
    const last = await i.receive();
    assert.is(last.flags, OPERATIONAL_TO_FULL);
    assert.is(i.loggedIn(last), 0);
    assert.is.not(i.tsih, 0);
    assert.is(i.agreed['MaxRecvDataSegmentLength'], '262144');
    await i.ready();
  }),
);

test(
  'straight from security to the full feature phase, with all defaults',
  withRig(async (rig) => {
    const i = rig.connect();
    i.loginRequest(LOGIN, TO_FULL, { ...NORMAL, AuthMethod: 'None' });
    assert.is(i.loggedIn(await i.receive()), 0);
    await i.ready();
  }),
);

const negotiated: [string, string, string | undefined][] = [
  ['MaxBurstLength', '16777215', '1048576'],
  ['MaxBurstLength', '511', 'Reject'],
  ['MaxBurstLength', '0x1000', '4096'],
  ['FirstBurstLength', 'many', 'Reject'],
  ['MaxConnections', '8', '1'],
  ['ErrorRecoveryLevel', '2', '0'],
  ['InitialR2T', 'Yes', 'Yes'],
  ['InitialR2T', 'No', 'No'],
  ['InitialR2T', 'Maybe', 'Reject'],
  ['ImmediateData', 'No', 'No'],
  ['DataPDUInOrder', 'No', 'Yes'],
  ['DataSequenceInOrder', 'No', 'Yes'],
  ['DefaultTime2Wait', '5', '5'],
  ['DefaultTime2Retain', '60', '0'],
  ['HeaderDigest', 'X-mine,None', 'None'],
  ['HeaderDigest', 'X-mine', 'Reject'],
  ['DataDigest', 'CRC32C,None', 'CRC32C'],
  ['IFMarker', 'No', 'No'],
  ['OFMarker', 'Yes', 'Reject'],
  ['IFMarkInt', '2048~8192', 'Reject'],
  ['iSCSIProtocolLevel', '1', '1'],
  ['TaskReporting', 'FastAbort,RFC3720', 'RFC3720'],
  ['X-com.example.key', '1', 'NotUnderstood'],
  ['MaxRecvDataSegmentLength', '0', 'Reject'],
  ['InitiatorAlias', 'me', undefined],
];
for (const [key, value, answer] of negotiated) {
  test(
    `${key}=${value} is answered with ${answer ?? 'nothing'}`,
    withRig(async (rig) => {
      const i = rig.connect();
      const { status, keys } = await step(i, 0x04, { ...NORMAL, [key]: value });
      assert.is(status, 0);
      const expected = key === 'MaxRecvDataSegmentLength' ? '262144' : answer;
      assert.is(keys[key], expected);
    }),
  );
}

for (const [first, max, answer] of [
  ['65536', '8192', '8192'],
  ['4096', '8192', '4096'],
  ['262144', '16777215', '262144'],
] as const) {
  test(
    `FirstBurstLength=${first} beside MaxBurstLength=${max} is answered with ${answer}, whichever comes first: RFC 7143 13.14`,
    withRig(async (rig) => {
      for (const keys of [
        { FirstBurstLength: first, MaxBurstLength: max },
        { MaxBurstLength: max, FirstBurstLength: first },
      ]) {
        const { keys: answers } = await step(rig.connect(), 0x04, { ...NORMAL, ...keys });
        assert.is(answers['FirstBurstLength'], answer);
      }
    }),
  );
}

test(
  'a first burst left at its default is no longer than the burst that was agreed on',
  withRig(async (rig) => {
    const a = rig.connect();
    a.loginRequest(LOGIN, OPERATIONAL_TO_FULL, { ...NORMAL, MaxBurstLength: '4096' });
    assert.is(a.loggedIn(await a.receive()), 0);
    await a.ready();
    const write = [0x2a, 0, 0, 0, 0, 0, 0, 0, 16, 0];
    const long = await a.run(write, { write: 8192, data: Buffer.alloc(8192, 7) });
    assert.equal([long.status, long.sense], [2, 0x0b0c0d]);
    const short = a.command(write, { write: 8192, data: Buffer.alloc(4096, 7) });
    const r2t = await a.receive();
    assert.equal([r2t.opcode, r2t.header.readUInt32BE(40), r2t.header.readUInt32BE(44)], [0x31, 4096, 4096]);
    a.dataOut(short, r2t.header.readUInt32BE(20), 0, 4096, Buffer.alloc(4096, 7), true);
    assert.is((await a.outcome(short)).status, 0);
  }),
);

const refused: [string, (i: Initiator) => void, number][] = [
  ['no InitiatorName', (i) => i.loginRequest(LOGIN, OPERATIONAL_TO_FULL, { TargetName: TARGETS[0] }), 0x0207],
  ['no TargetName', (i) => i.loginRequest(LOGIN, OPERATIONAL_TO_FULL, { InitiatorName: NAME }), 0x0207],
  [
    'the target of the other portal',
    (i) => i.loginRequest(LOGIN, OPERATIONAL_TO_FULL, { ...NORMAL, TargetName: TARGETS[1] }),
    0x0203,
  ],
  [
    'a session type that does not exist',
    (i) => i.loginRequest(LOGIN, OPERATIONAL_TO_FULL, { ...NORMAL, SessionType: 'Odd' }),
    0x0209,
  ],
  [
    'a name that is none',
    (i) => i.loginRequest(LOGIN, OPERATIONAL_TO_FULL, { ...NORMAL, InitiatorName: 'bob' }),
    0x0200,
  ],
  ['T and C together', (i) => i.loginRequest(LOGIN, 0xc7, NORMAL), 0x0200],
  ['a step back', (i) => i.loginRequest(LOGIN, 0x84, NORMAL), 0x0200],
  ['stage 2', (i) => i.loginRequest(LOGIN, 0x08, NORMAL), 0x0200],
  [
    'a key twice',
    (i) =>
      i.send({
        opcode: 3,
        immediate: true,
        flags: 0x87,
        itt: 1,
        data: Buffer.concat([text(NORMAL), text({ InitiatorName: NAME })]),
      }),
    0x0200,
  ],
  [
    'text that is none',
    (i) => i.send({ opcode: 3, immediate: true, flags: 0x87, itt: 1, data: Buffer.from('hello') }),
    0x0200,
  ],
  [
    'a version of the future',
    (i) => i.send({ opcode: 3, immediate: true, flags: 0x87, itt: 1, put: [[3, [1]]], data: text(NORMAL) }),
    0x0205,
  ],
];
for (const [what, send, status] of refused) {
  test(
    `${what} is refused with ${status.toString(16).padStart(4, '0')}, and the connection ends`,
    withRig(async (rig) => {
      const i = rig.connect();
      send(i);
      assert.is(await statusOf(i), status);
      assert.is(await i.receiveOrEnd(), null);
      assert.is(rig.server.sessions().length, 0);
    }),
  );
}

test(
  'a command in the login phase is refused with 020B; as the first PDU it ends the connection',
  withRig(async (rig) => {
    const i = rig.connect();
    await step(i, SECURITY, { ...NORMAL, AuthMethod: 'None' });
    i.command([0, 0, 0, 0, 0, 0]);
    assert.is(await statusOf(i), 0x020b);
    const j = rig.connect();
    j.command([0, 0, 0, 0, 0, 0]);
    assert.is(await j.receiveOrEnd(), null);
  }),
);

test(
  'keys may come in pieces, cut anywhere',
  withRig(async (rig) => {
    const i = rig.connect();
    const whole = text({ ...NORMAL, ...OPERATIONAL });
    for (let at = 0; at < whole.length; at += 50) {
      const last = at + 50 >= whole.length;
      i.send({
        opcode: 3,
        immediate: true,
        flags: last ? OPERATIONAL_TO_FULL : 0x44,
        itt: 1,
        data: whole.subarray(at, at + 50),
        put: [[8, [0x80, 0, 0, 1, 0, 0]]],
      });
      const answer = await i.receive();
      assert.is(answer.header.readUInt16BE(36), 0);
      if (last) assert.is(i.loggedIn(answer), 0);
      else assert.equal([answer.flags, answer.data.length], [0x04, 0]);
    }
  }),
);

test(
  'a login without end, or with endless text, is refused',
  withRig(async (rig) => {
    const i = rig.connect();
    i.loginRequest(LOGIN, SECURITY, { ...NORMAL, AuthMethod: 'None' });
    let status = await statusOf(i);
    for (let n = 0; status === 0 && n < 100; n++) {
      i.loginRequest(LOGIN, SECURITY, {});
      status = await statusOf(i);
    }
    assert.is(status, 0x0200);
    const j = rig.connect();
    status = 0;
    for (let n = 0; status === 0 && n < 20; n++) {
      j.send({ opcode: 3, immediate: true, flags: 0x40, itt: 1, data: Buffer.alloc(8192, 65) });
      status = await statusOf(j);
    }
    assert.is(status, 0x0200);
  }),
);

// ---------------------------------------------------------------------------------------------------------- CHAP

const CHAP = {
  user: 'alice',
  secret: 'secret of alice',
  mutual: { user: 'shelf', secret: 'secret of shelf' },
};
const chapRig = (use: (rig: Rig) => Promise<void>) => withRig(use, { chap: CHAP });
const HASH: Record<string, string> = { 5: 'md5', 6: 'sha1', 7: 'sha256', 8: 'sha3-256' };
const respond = (algorithm: string, id: number, secret: string, challenge: Uint8Array): Buffer =>
  createHash(HASH[algorithm]!).update(Uint8Array.of(id)).update(secret).update(challenge).digest();

async function challenged(rig: Rig, algorithms = '5', keys = NORMAL as Record<string, string>) {
  const i = rig.connect();
  const method = await step(i, SECURITY, { ...keys, AuthMethod: 'CHAP,None' });
  assert.is(method.keys['AuthMethod'], 'CHAP');
  const { status, keys: said } = await step(i, SECURITY, { CHAP_A: algorithms });
  const challenge = Buffer.from(said['CHAP_C']?.slice(2) ?? '', 'hex');
  return { i, status, algorithm: said['CHAP_A'] ?? '', id: Number(said['CHAP_I']), challenge };
}

for (const [algorithms, chosen] of [
  ['5', '5'],
  ['6,5', '6'],
  ['99,7,5', '7'],
  ['8', '8'],
] as const) {
  test(
    `CHAP with algorithms ${algorithms}: ${chosen} is chosen, and the right secret comes in`,
    chapRig(async (rig) => {
      const { i, algorithm, id, challenge } = await challenged(rig, algorithms);
      assert.is(algorithm, chosen);
      const CHAP_R = `0x${respond(algorithm, id, CHAP.secret, challenge).toString('hex')}`;
      const { status, flags } = await step(i, TO_OPERATIONAL, { CHAP_N: 'alice', CHAP_R });
      assert.equal([status, flags], [0, TO_OPERATIONAL]);
      i.loginRequest(LOGIN, OPERATIONAL_TO_FULL, OPERATIONAL);
      assert.is(i.loggedIn(await i.receive()), 0);
      await i.ready();
    }),
  );
}

test(
  'mutual CHAP: the target proves itself, and answers in base 64 as well',
  chapRig(async (rig) => {
    const { i, id, challenge } = await challenged(rig);
    const ours = Buffer.from('a challenge of sixteen bytes');
    const { status, keys } = await step(i, TO_OPERATIONAL, {
      CHAP_N: 'alice',
      CHAP_R: `0b${respond('5', id, CHAP.secret, challenge).toString('base64')}`,
      CHAP_I: '200',
      CHAP_C: `0b${ours.toString('base64')}`,
    });
    assert.is(status, 0);
    assert.is(keys['CHAP_N'], 'shelf');
    assert.is(keys['CHAP_R'], `0x${respond('5', 200, CHAP.mutual.secret, ours).toString('hex')}`);
  }),
);

const right = (c: { id: number; challenge: Buffer }): string =>
  `0x${respond('5', c.id, CHAP.secret, c.challenge).toString('hex')}`;
type Challenged = Awaited<ReturnType<typeof challenged>>;
const wrongs: [string, (c: Challenged) => Record<string, string>][] = [
  [
    'a wrong secret',
    (c) => ({ CHAP_N: 'alice', CHAP_R: `0x${respond('5', c.id, 'wrong', c.challenge).toString('hex')}` }),
  ],
  ['a wrong name', (c) => ({ CHAP_N: 'bob', CHAP_R: right(c) })],
  ['no name', (c) => ({ CHAP_R: right(c) })],
  ['a response that is no number', () => ({ CHAP_N: 'alice', CHAP_R: 'guess' })],
  ['an empty response', () => ({ CHAP_N: 'alice', CHAP_R: '0x' })],
  ['a short response', (c) => ({ CHAP_N: 'alice', CHAP_R: right(c).slice(0, -2) })],
  [
    'our own challenge sent back',
    (c) => ({ CHAP_N: 'alice', CHAP_R: right(c), CHAP_I: '1', CHAP_C: `0x${c.challenge.toString('hex')}` }),
  ],
  ['half of a challenge', (c) => ({ CHAP_N: 'alice', CHAP_R: right(c), CHAP_I: '1' })],
  [
    'an identifier out of range',
    (c) => ({ CHAP_N: 'alice', CHAP_R: right(c), CHAP_I: '256', CHAP_C: '0x1234' }),
  ],
];
for (const [what, keys] of wrongs) {
  test(
    `CHAP with ${what} is refused with 0201`,
    chapRig(async (rig) => {
      const c = await challenged(rig);
      const { status } = await step(c.i, TO_OPERATIONAL, keys(c));
      assert.is(status, 0x0201);
      assert.is(await c.i.receiveOrEnd(), null);
      assert.is(rig.server.sessions().length, 0);
    }),
  );
}

test(
  'nobody passes by CHAP: not without a method, not past the stage, not for discovery',
  chapRig(async (rig) => {
    const discovery = { InitiatorName: NAME, SessionType: 'Discovery' };
    for (const [flags, keys] of [
      [OPERATIONAL_TO_FULL, NORMAL],
      [OPERATIONAL_TO_FULL, discovery],
      [TO_FULL, { ...NORMAL, AuthMethod: 'None' }],
      [TO_FULL, NORMAL],
      [SECURITY, { ...NORMAL, CHAP_A: '5' }],
    ] as [number, Record<string, string>][]) {
      const i = rig.connect();
      const { status } = await step(i, flags, keys);
      assert.is(status, 0x0201, JSON.stringify(keys));
    }
    assert.is((await challenged(rig, '99')).status, 0x0201);
    const i = rig.connect();
    await step(i, SECURITY, { ...NORMAL, AuthMethod: 'CHAP' });
    const skipped = await step(i, TO_FULL, {});
    assert.is(skipped.status, 0x0201);
  }),
);

test(
  'a challenge is never the same twice',
  chapRig(async (rig) => {
    const one = await challenged(rig);
    const other = await challenged(rig);
    assert.not(one.challenge.equals(other.challenge));
    assert.ok(one.challenge.length >= 16);
  }),
);

test.run();
