// How much of a serial line's time an upload uses: SMP over a wire that is paced by its baud rate, in virtual time.
import { createPrivateKey } from 'node:crypto';
import { KIND_EMULATED } from '../../firmware/bootloader/layout.ts';
import { makeImage } from '../../boards/image/image.ts';
import { RandomStream } from '../../boards/random.ts';
import { openPort } from '../../boards/serial/port.ts';
import { provision } from '../../boards/serial/rig/factory.ts';
import { NorFlash } from '../../boards/serial/rig/flash.ts';
import { FlashRig } from '../../boards/serial/rig/rig.ts';
import { parameters } from '../../boards/serial/smp/board.ts';
import { SmpClient } from '../../boards/serial/smp/client.ts';
import { LINE_BYTES, LINE_PAYLOAD_BYTES } from '../../boards/serial/smp/frame.ts';
import { upload } from '../../boards/serial/smp/upload.ts';
import { VirtualHost } from '../../boards/serial/virtual-host.ts';
import { Wire } from '../../boards/serial/wire.ts';
import { table } from '../render/format.ts';

const BAUDS = [115200, 921600] as const;
const SIZES_KIB = [128, 1024] as const;
/** Wrong bytes in a million; what a quiet line must reach has a limit, a noisy one is shown. */
const NOISES = [0, 100] as const;
const SHARE_LEAST = 0.9;
const BITS_PER_BYTE = 10; // start, 8 data, stop

export interface FlashRow {
  baud: number;
  kib: number;
  errors_per_million: number;
  seconds: number;
  bytes_per_s: number;
  /** Payload that lines of SMP can carry at that rate. */
  framing_bytes_per_s: number;
  share: number;
  limit: number | null;
  ok: boolean;
}

export interface FlashBench {
  rows: FlashRow[];
  ok: boolean;
}

/** A key of no board but this one. */
const KEY = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]),
  format: 'der',
  type: 'pkcs8',
});

/** An image of so many bytes in all; random ones, so that nothing depends on what they are. */
function imageOf(bytes: number): Buffer {
  const random = new RandomStream('flash', 'bench');
  const options = {
    key: KEY,
    counter: 1,
    board: KIND_EMULATED,
    version: { major: 1, minor: 0, revision: 0, build: 0 },
  };
  const around = makeImage(new Uint8Array(), options).length;
  return makeImage(
    Uint8Array.from({ length: bytes - around }, () => random.below(256)),
    options,
  );
}

async function measure(baud: number, kib: number, noise: number): Promise<FlashRow> {
  const host = new VirtualHost();
  const wire = new Wire({ host, flipsPerMillion: noise });
  const flash = new NorFlash();
  provision(flash, KIND_EMULATED, KEY);
  const rig = new FlashRig({ host, flash, line: wire.board });
  rig.reset();
  const image = imageOf(kib * 1024);
  const [ns, match] = await host.run(
    (async () => {
      const port = await openPort({ path: wire.path, baud, binding: wire.binding });
      const client = new SmpClient(host, port);
      const found = await parameters(client);
      const begun = host.now();
      const arrived = await upload(client, { image, parameters: found, baud });
      const took = host.now() - begun;
      await port.close();
      return [took, arrived] as const;
    })(),
  );
  const rate = (image.length * 1e9) / ns;
  const framing = ((baud / BITS_PER_BYTE) * LINE_PAYLOAD_BYTES) / LINE_BYTES;
  const limit = noise === 0 ? SHARE_LEAST : null;
  const sound = match === true && rig.overruns === 0 && flash.violations === 0;
  return {
    baud,
    kib,
    errors_per_million: noise,
    seconds: ns / 1e9,
    bytes_per_s: rate,
    framing_bytes_per_s: framing,
    share: rate / framing,
    limit,
    ok: sound && (limit === null || rate / framing >= limit),
  };
}

export async function benchFlash(say: (line: string) => void): Promise<FlashBench> {
  const rows: FlashRow[] = [];
  for (const noise of NOISES) {
    for (const baud of BAUDS) {
      for (const kib of SIZES_KIB) {
        say(`flash: ${kib} KiB at ${baud} baud`);
        rows.push(await measure(baud, kib, noise));
      }
    }
  }
  return { rows, ok: rows.every(({ ok }) => ok) };
}

export const flashLines = ({ rows }: FlashBench): string[] => [
  'Upload over SMP on a paced line, in line time',
  ...table(
    [
      ['baud', 'KiB', 'errors in 10^6', 'time', 'payload', 'SMP framing', 'share', 'at least', ''],
      ...rows.map((row) => [
        String(row.baud),
        String(row.kib),
        String(row.errors_per_million),
        `${row.seconds.toFixed(2)} s`,
        `${(row.bytes_per_s / 1000).toFixed(2)} kB/s`,
        `${(row.framing_bytes_per_s / 1000).toFixed(2)} kB/s`,
        row.share.toFixed(3),
        row.limit === null ? '-' : row.limit.toFixed(2),
        row.ok ? 'ok' : 'FAILED',
      ]),
    ],
    [0, 1, 2, 3, 4, 5, 6, 7],
  ),
];
