/** How much of a line the link makes use of: bulk data one way, both ways, and over a line that loses and changes frames. */
import * as K from '../../asm/link/layout.ts';
import { type LineFaults, NO_FAULTS } from '../../boards/serial/line.ts';
import { LinkPair } from '../../boards/serial/link-pair.ts';
import type { LinkEnd } from '../../boards/serial/link-end.ts';
import { table } from '../render/format.ts';

export interface LinkRow {
  what: string;
  baud: number;
  bytes: number; // of payload, one way
  seconds: number; // of line time
  share: number; // of the line's byte rate, the slower way
  overhead: number; // bytes on the line beyond COBS and headers, of what the payload needs
  gated: boolean;
  ok: boolean;
}

export interface LinkBench {
  rows: LinkRow[];
  ok: boolean;
}

export const SHARE_MIN = 0.95;
export const OVERHEAD_MAX = 0.01;
const BYTES = 1 << 20;
const BITS_A_BYTE = 10;
const NOISY: LineFaults = {
  ...NO_FAULTS,
  loss: 2_000,
  corruption: 5_000,
  duplication: 1_000,
  reordering: 1_000,
};

interface Way {
  end: LinkEnd;
  channel: number;
  left: number;
}

/** What the payload needs on the line: full frames, each with header and sum, as COBS packets with their zero. */
function needed(bytes: number): number {
  const frames = Math.ceil(bytes / K.FRAME_PAYLOAD_MAX);
  const plain = bytes + frames * (K.FRAME_HEADER_BYTES + K.FRAME_CRC_BYTES);
  const stuffed = frames * (Math.ceil(K.FRAME_BYTES_MAX / 254) + 1);
  return plain + stuffed;
}

function measure(what: string, baud: number, both: boolean, faults: LineFaults, gated: boolean): LinkRow {
  const pair = new LinkPair({ baud, faults }).open();
  const data = Uint8Array.from({ length: 1 << 16 }, (_, i) => (Math.imul(i, 0x9e3779b1) >>> 13) & 255);
  const ways: Way[] = [{ end: pair.host, channel: K.CHANNEL_HBA, left: BYTES }];
  if (both) ways.push({ end: pair.board, channel: K.CHANNEL_PANIC, left: BYTES });
  const from = pair.nowNs;
  const before = [pair.toBoard.bytes, pair.toHost.bytes];
  pair.run(() => {
    for (const way of ways) {
      while (way.left > 0) {
        const went = way.end.write(way.channel, data.subarray(0, Math.min(way.left, data.length)));
        if (went === 0) break;
        way.left -= went;
      }
      way.end.flush();
    }
    return ways.every(({ left, end }) => left === 0 && end.idle);
  }, 600_000);
  const seconds = (pair.nowNs - from) / 1e9;
  const share = BYTES / seconds / (baud / BITS_A_BYTE);
  const sent = [pair.toBoard.bytes - before[0]!, pair.toHost.bytes - before[1]!].slice(0, ways.length);
  const overhead = Math.max(...sent) / needed(BYTES) - 1;
  const ok = !gated || (share >= SHARE_MIN && overhead <= OVERHEAD_MAX);
  return { what, baud, bytes: BYTES, seconds, share, overhead, gated, ok };
}

export function benchLink(): LinkBench {
  const rows = [
    measure('to the board', 921_600, false, NO_FAULTS, true),
    measure('both ways', 921_600, true, NO_FAULTS, false),
    measure('to the board', 115_200, false, NO_FAULTS, true),
    measure('to the board, 3 Mbaud', 3_000_000, false, NO_FAULTS, true),
    measure('to the board, noisy', 921_600, false, NOISY, false),
  ];
  return { rows, ok: rows.every(({ ok }) => ok) };
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

export function linkLines({ rows }: LinkBench): string[] {
  return [
    `The link: bulk frames over a paced line, at least ${percent(SHARE_MIN)} of its byte rate, at most ${percent(OVERHEAD_MAX)} beyond COBS and headers`,
    ...table(
      [
        ['', 'baud', 'payload', 'line time', 'of the line', 'beyond COBS and headers', ''],
        ...rows.map(({ what, baud, bytes, seconds, share, overhead, gated, ok }) => [
          what,
          String(baud),
          `${bytes / 2 ** 20} MiB`,
          `${seconds.toFixed(2)} s`,
          percent(share),
          percent(overhead),
          gated ? (ok ? 'ok' : 'SHORT') : '',
        ]),
      ],
      [1, 2, 3, 4, 5],
    ).map((line) => `  ${line}`),
  ];
}
