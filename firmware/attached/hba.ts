/**
 * The board's end of the host bus adapter: at a doorbell everything that the new submissions point to goes to the host,
 * and then the doorbell. What lies outside RAM is left out: the host's HBA refuses such an entry by the same rules.
 *
 * [layout] SQE_*
 */
import {
  SQE_BYTES,
  SQE_DATA_BYTES_AT,
  SQE_DATA_OUT,
  SQE_FLAGS_AT,
  SQE_SGL_AT,
  SQE_SGL_COUNT_AT,
} from '../../asm/layout';
import { CHANNEL_HBA, CHANNEL_PANIC } from '../../asm/link/layout';
import { PIECE, agent, inside } from './agent';
import { leave_if_over } from './devices';
import { RPC_CONFIGURE, RPC_DOORBELL, RPC_HBA_RESET } from './layout';
import { ram_read } from './outside';
import { body, say, say_ram } from './stream';

const LIST_MAX: u32 = 256;

function channel(): u32 {
  return agent().panicking ? CHANNEL_PANIC : CHANNEL_HBA;
}

export function hba_configure(sq: u32, sqCount: u32, cq: u32, cqCount: u32): void {
  const a = agent();
  const good = sqCount && !(sqCount & (sqCount - 1)) && <u64>sqCount * SQE_BYTES < 0x100000000;
  a.sq = sq;
  a.sq_count = good && inside(sq, sqCount * SQE_BYTES) ? sqCount : 0;
  a.head = 0;
  a.posted = 0;
  store<u32>(body(), sq);
  store<u32>(body() + 4, sqCount);
  store<u32>(body() + 8, cq);
  store<u32>(body() + 12, cqCount);
  say(channel(), RPC_CONFIGURE, 0, 0, 16);
  leave_if_over();
}

export function hba_poll(): u32 {
  return agent().posted;
}

export function hba_reset(): void {
  say(channel(), RPC_HBA_RESET, 0, 0, 0);
  leave_if_over();
}

export function hba_doorbell(tail: u32): void {
  const a = agent();
  for (let n: u32 = 0; a.head != tail && n < a.sq_count; n++) {
    submission(a.sq + (a.head & (a.sq_count - 1)) * SQE_BYTES);
    a.head++;
  }
  say(channel(), RPC_DOORBELL, 0, tail, 0);
  leave_if_over();
}

function submission(at: u32): void {
  ram_read(at, <u32>PIECE, SQE_BYTES);
  const out = load<u8>(PIECE + SQE_FLAGS_AT) & SQE_DATA_OUT;
  const address = load<u32>(PIECE + SQE_SGL_AT);
  const count = <u32>load<u16>(PIECE + SQE_SGL_COUNT_AT);
  const bytes = load<u32>(PIECE + SQE_DATA_BYTES_AT);
  say_ram(channel(), at, SQE_BYTES);
  if (!bytes) return;
  if (!count) {
    if (out && inside(address, bytes)) say_ram(channel(), address, bytes);
    return;
  }
  if (count > LIST_MAX || !inside(address, count * 8)) return;
  say_ram(channel(), address, count * 8);
  if (out) pieces(address, count, bytes);
}

/** Data of a command in pieces, `bytes` of it. */
function pieces(list: u32, count: u32, bytes: u32): void {
  for (let i: u32 = 0; i < count && bytes; i++) {
    ram_read(list + i * 8, <u32>PIECE, 8);
    const start = load<u32>(PIECE);
    const part = min<u32>(load<u32>(PIECE + 4), bytes);
    if (!inside(start, part)) return;
    say_ram(channel(), start, part);
    bytes -= part;
  }
}
