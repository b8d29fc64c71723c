// Malformed PDUs by the million: node --expose-gc --import tsx scripts/bench/fuzz-pdu.ts [COUNT] [SEED]
//
// Sessions of portal a are opened, fed with right, wrong and mutilated PDUs in pieces of any size, and hung up. All the
// while an honest session of portal b writes, reads back and compares on a disk that it has reserved. At the end nothing
// may be left over: no session, no buffered byte, no memory.
import type { Host } from '../../boards/host.ts';
import { Buffers } from '../../boards/iscsi/buffers.ts';
import { Budget, LIMITS } from '../../boards/iscsi/limits.ts';
import { makeEntrances } from '../../boards/iscsi/server.ts';
import { Sessions } from '../../boards/iscsi/sessions.ts';
import { RandomStream } from '../../boards/random.ts';
import { bareShelf } from '../../boards/shelf/bare.ts';
import { HonestSession } from './honest-session.ts';
import { MemorySocket } from './memory-socket.ts';
import { type Numbers, loginPdu, mutate, rightPdu } from './pdu-mutations.ts';

const TARGETS = ['iqn.2026-01.fuzz:a', 'iqn.2026-01.fuzz:b'] as const;
const OPERATIONAL = 'InitialR2T=No\0ImmediateData=Yes\0MaxRecvDataSegmentLength=65536\0';
const DIGESTS = 'HeaderDigest=CRC32C\0DataDigest=CRC32C\0';
/** Sessions open at a time. */
const WIDTH = 8;

export interface FuzzReport {
  pdus: number;
  connections: number;
  /** Sessions that got into the full feature phase. */
  sessions: number;
  /** Reads of the honest session that were compared. */
  compared: number;
  /** Growth of the heap between a quarter of the way and the end, in KiB; null without --expose-gc. */
  grownKib: number | null;
}

interface Attacker {
  socket: MemorySocket;
  numbers: Numbers;
  left: number;
}

const noTimers = (random: RandomStream): Host => ({
  now: () => 0,
  utc: () => 0,
  after: () => ({ cancel: () => {} }),
  soon: () => {},
  random: (bytes) => Uint8Array.from({ length: bytes }, () => random.below(256)),
});

/** Throws when anything is not as it must be. */
export async function fuzzPdus(count: number, seed: string): Promise<FuzzReport> {
  const random = new RandomStream(seed, 'pdus');
  const shelf = bareShelf({ disks: 2, sizeMib: 8 });
  const budget = new Budget(LIMITS.bufferedBytes);
  const around = {
    shelf,
    limits: LIMITS,
    budget,
    buffers: new Buffers(),
    tell: (event: { event: string }) => tell(event),
  };
  let opened = 0;
  const tell = ({ event }: { event: string }): void => {
    if (event === 'session-opened') opened++;
  };
  const sessions = new Sessions(around);
  const host = noTimers(new RandomStream(seed, 'host'));
  const [a, b] = makeEntrances(
    { shelf, host, enter: (call) => call(), targets: TARGETS, chap: null, onEvent: tell },
    sessions,
    (i) => ({ address: '127.0.0.1', tcpPort: 3260 + i }),
  );
  const honest = new HonestSession(new MemorySocket(b!, new Uint8Array(1 << 16), true), TARGETS[1], 1);
  const buffers = Array.from({ length: WIDTH }, () => new Uint8Array(1 << 16));
  const attackers: (Attacker | null)[] = buffers.map(() => null);
  let connections = 0;
  let heapBefore: number | null = null;
  for (let n = 0; n < count; n++) {
    const i = random.below(WIDTH);
    let attacker = attackers[i]!;
    if (attacker === null || attacker.socket.closed || attacker.left-- === 0) {
      attacker?.socket.hangUp();
      attackers[i] = attacker = open(random, new MemorySocket(a!, buffers[i]!, false), i);
      connections++;
    }
    attack(random, attacker);
    if (n % 16 === 0) honest.step(random);
    if (n % 256 === 0) await Promise.resolve(); // what the target put off is done
    if (n === count >> 2) heapBefore = heapKib();
  }
  for (const attacker of attackers) attacker?.socket.hangUp();
  honest.compareAll(shelf.disks[1]!.medium);
  honest.socket.hangUp();
  if (sessions.list().length !== 0) throw new Error(`${sessions.list().length} sessions are left over`);
  if (budget.used !== 0) throw new Error(`${budget.used} buffered bytes are left over`);
  for (const disk of shelf.disks) {
    for (let nexus = 4; nexus < 64; nexus++) {
      if (disk.hasTasks(nexus)) throw new Error(`nexus ${nexus} still has tasks on disk ${disk.number}`);
    }
  }
  const heapAfter = heapKib();
  const grownKib = heapBefore === null || heapAfter === null ? null : heapAfter - heapBefore;
  return { pdus: count, connections, sessions: opened - 1, compared: honest.compared, grownKib };
}

function open(random: RandomStream, socket: MemorySocket, isid: number): Attacker {
  const digests = random.chance(1, 8);
  let login: Buffer = loginPdu(TARGETS[0], isid, OPERATIONAL + (digests ? DIGESTS : ''));
  if (random.chance(1, 6)) for (let n = random.below(4); n >= 0; n--) login = mutate(random, login);
  if (random.chance(1, 50)) login = Buffer.alloc(0); // never logs in
  socket.send(login);
  return { socket, numbers: { cmdSn: 1, itt: 10 }, left: 1 + random.below(200) };
}

function attack(random: RandomStream, { socket, numbers }: Attacker): void {
  let bytes = rightPdu(random, numbers);
  if (random.chance(1, 4)) for (let n = random.below(3); n >= 0; n--) bytes = mutate(random, bytes);
  if (random.chance(3, 4)) return socket.send(bytes);
  for (let at = 0; at < bytes.length;) {
    const part = 1 + random.below(bytes.length - at);
    socket.send(bytes.subarray(at, at + part));
    at += part;
  }
}

function heapKib(): number | null {
  if (globalThis.gc === undefined) return null;
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return Math.round((heapUsed + external) / 1024);
}

if (import.meta.filename === process.argv[1]) {
  const [count = '1000000', seed = '1'] = process.argv.slice(2);
  const report = await fuzzPdus(Number(count), seed);
  console.log(JSON.stringify(report));
  if (report.grownKib !== null && report.grownKib > 4096) {
    console.error(`memory grew by ${report.grownKib} KiB`);
    process.exitCode = 1;
  }
}
