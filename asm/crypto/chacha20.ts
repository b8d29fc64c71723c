/**
 * ChaCha20: the key stream laid over a piece of memory. With SIMD four blocks at once, a lane each; without, one.
 *
 * [RFC 8439] 2.3 the block function, 2.4 the encryption algorithm
 */
const C0: u32 = 0x61707865; // "expand 32-byte k"
const C1: u32 = 0x3320646e;
const C2: u32 = 0x79622d32;
const C3: u32 = 0x6b206574;
const BLOCK: u32 = 64;
/** Bytes of scratch. */
export const CHACHA_SCRATCH_BYTES: u32 = 128;
const STREAM_AT: usize = 64;

/** One block of key stream, of the 16 words at `state`, at `out`. */
function block(state: usize, out: usize): void {
  let x0 = load<u32>(state);
  let x1 = load<u32>(state, 4);
  let x2 = load<u32>(state, 8);
  let x3 = load<u32>(state, 12);
  let x4 = load<u32>(state, 16);
  let x5 = load<u32>(state, 20);
  let x6 = load<u32>(state, 24);
  let x7 = load<u32>(state, 28);
  let x8 = load<u32>(state, 32);
  let x9 = load<u32>(state, 36);
  let xa = load<u32>(state, 40);
  let xb = load<u32>(state, 44);
  let xc = load<u32>(state, 48);
  let xd = load<u32>(state, 52);
  let xe = load<u32>(state, 56);
  let xf = load<u32>(state, 60);
  for (let round = 0; round < 10; round++) {
    x0 += x4;
    xc = rotl<u32>(xc ^ x0, 16);
    x8 += xc;
    x4 = rotl<u32>(x4 ^ x8, 12);
    x0 += x4;
    xc = rotl<u32>(xc ^ x0, 8);
    x8 += xc;
    x4 = rotl<u32>(x4 ^ x8, 7);
    x1 += x5;
    xd = rotl<u32>(xd ^ x1, 16);
    x9 += xd;
    x5 = rotl<u32>(x5 ^ x9, 12);
    x1 += x5;
    xd = rotl<u32>(xd ^ x1, 8);
    x9 += xd;
    x5 = rotl<u32>(x5 ^ x9, 7);
    x2 += x6;
    xe = rotl<u32>(xe ^ x2, 16);
    xa += xe;
    x6 = rotl<u32>(x6 ^ xa, 12);
    x2 += x6;
    xe = rotl<u32>(xe ^ x2, 8);
    xa += xe;
    x6 = rotl<u32>(x6 ^ xa, 7);
    x3 += x7;
    xf = rotl<u32>(xf ^ x3, 16);
    xb += xf;
    x7 = rotl<u32>(x7 ^ xb, 12);
    x3 += x7;
    xf = rotl<u32>(xf ^ x3, 8);
    xb += xf;
    x7 = rotl<u32>(x7 ^ xb, 7);
    x0 += x5;
    xf = rotl<u32>(xf ^ x0, 16);
    xa += xf;
    x5 = rotl<u32>(x5 ^ xa, 12);
    x0 += x5;
    xf = rotl<u32>(xf ^ x0, 8);
    xa += xf;
    x5 = rotl<u32>(x5 ^ xa, 7);
    x1 += x6;
    xc = rotl<u32>(xc ^ x1, 16);
    xb += xc;
    x6 = rotl<u32>(x6 ^ xb, 12);
    x1 += x6;
    xc = rotl<u32>(xc ^ x1, 8);
    xb += xc;
    x6 = rotl<u32>(x6 ^ xb, 7);
    x2 += x7;
    xd = rotl<u32>(xd ^ x2, 16);
    x8 += xd;
    x7 = rotl<u32>(x7 ^ x8, 12);
    x2 += x7;
    xd = rotl<u32>(xd ^ x2, 8);
    x8 += xd;
    x7 = rotl<u32>(x7 ^ x8, 7);
    x3 += x4;
    xe = rotl<u32>(xe ^ x3, 16);
    x9 += xe;
    x4 = rotl<u32>(x4 ^ x9, 12);
    x3 += x4;
    xe = rotl<u32>(xe ^ x3, 8);
    x9 += xe;
    x4 = rotl<u32>(x4 ^ x9, 7);
  }
  store<u32>(out, x0 + load<u32>(state));
  store<u32>(out, x1 + load<u32>(state, 4), 4);
  store<u32>(out, x2 + load<u32>(state, 8), 8);
  store<u32>(out, x3 + load<u32>(state, 12), 12);
  store<u32>(out, x4 + load<u32>(state, 16), 16);
  store<u32>(out, x5 + load<u32>(state, 20), 20);
  store<u32>(out, x6 + load<u32>(state, 24), 24);
  store<u32>(out, x7 + load<u32>(state, 28), 28);
  store<u32>(out, x8 + load<u32>(state, 32), 32);
  store<u32>(out, x9 + load<u32>(state, 36), 36);
  store<u32>(out, xa + load<u32>(state, 40), 40);
  store<u32>(out, xb + load<u32>(state, 44), 44);
  store<u32>(out, xc + load<u32>(state, 48), 48);
  store<u32>(out, xd + load<u32>(state, 52), 52);
  store<u32>(out, xe + load<u32>(state, 56), 56);
  store<u32>(out, xf + load<u32>(state, 60), 60);
}

/**
 * Lays the key stream of the 32 bytes at `key` and the 12 at `nonce`, from block `counter` on, over the `bytes` bytes at
 * `from`; what comes of it lies at `to`, which may be `from`.
 */
export function chacha20(
  key: usize,
  nonce: usize,
  counter: u32,
  from: usize,
  bytes: u32,
  to: usize,
  scratch: usize,
): void {
  const state = scratch;
  store<u32>(state, C0);
  store<u32>(state, C1, 4);
  store<u32>(state, C2, 8);
  store<u32>(state, C3, 12);
  memory.copy(state + 16, key, 32);
  store<u32>(state, counter, 48);
  memory.copy(state + 52, nonce, 12);
  let done: u32 = 0;
  if (ASC_FEATURE_SIMD) {
    for (; bytes - done >= 4 * BLOCK; done += 4 * BLOCK) {
      four(state, from + done, to + done);
      store<u32>(state, load<u32>(state, 48) + 4, 48);
    }
  }
  const stream = scratch + STREAM_AT;
  for (; done < bytes; done += BLOCK) {
    block(state, stream);
    store<u32>(state, load<u32>(state, 48) + 1, 48);
    const part = min<u32>(BLOCK, bytes - done);
    let i: u32 = 0;
    for (; i + 8 <= part; i += 8) {
      store<u64>(to + done + i, load<u64>(from + done + i) ^ load<u64>(stream + i));
    }
    for (; i < part; i++) store<u8>(to + done + i, load<u8>(from + done + i) ^ load<u8>(stream + i));
  }
}

// @ts-ignore: decorator
@inline
function rot16(x: v128): v128 {
  return v128.shuffle<u16>(x, x, 1, 0, 3, 2, 5, 4, 7, 6);
}
// @ts-ignore: decorator
@inline
function rot8(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
}
// @ts-ignore: decorator
@inline
function rot12(x: v128): v128 {
  return v128.or(v128.shl<i32>(x, 12), v128.shr<u32>(x, 20));
}
// @ts-ignore: decorator
@inline
function rot7(x: v128): v128 {
  return v128.or(v128.shl<i32>(x, 7), v128.shr<u32>(x, 25));
}

/** Four words of four blocks, from a lane a block to a row a block, laid over what is at `from`. */
// @ts-ignore: decorator
@inline
function lay(from: usize, to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.xor(v128.load(from), v128.shuffle<u64>(ab, cd, 0, 2)));
  v128.store(to, v128.xor(v128.load(from, 64), v128.shuffle<u64>(ab, cd, 1, 3)), 64);
  v128.store(to, v128.xor(v128.load(from, 128), v128.shuffle<u64>(abHigh, cdHigh, 0, 2)), 128);
  v128.store(to, v128.xor(v128.load(from, 192), v128.shuffle<u64>(abHigh, cdHigh, 1, 3)), 192);
}

/** Four blocks of key stream over 256 bytes. */
function four(state: usize, from: usize, to: usize): void {
  if (!ASC_FEATURE_SIMD) return;
  const lanes = v128.add<i32>(v128.load_splat<u32>(state + 48), i32x4(0, 1, 2, 3));
  let x0 = v128.load_splat<u32>(state);
  let x1 = v128.load_splat<u32>(state + 4);
  let x2 = v128.load_splat<u32>(state + 8);
  let x3 = v128.load_splat<u32>(state + 12);
  let x4 = v128.load_splat<u32>(state + 16);
  let x5 = v128.load_splat<u32>(state + 20);
  let x6 = v128.load_splat<u32>(state + 24);
  let x7 = v128.load_splat<u32>(state + 28);
  let x8 = v128.load_splat<u32>(state + 32);
  let x9 = v128.load_splat<u32>(state + 36);
  let xa = v128.load_splat<u32>(state + 40);
  let xb = v128.load_splat<u32>(state + 44);
  let xc = lanes;
  let xd = v128.load_splat<u32>(state + 52);
  let xe = v128.load_splat<u32>(state + 56);
  let xf = v128.load_splat<u32>(state + 60);
  for (let round = 0; round < 10; round++) {
    x0 = v128.add<i32>(x0, x4);
    xc = rot16(v128.xor(xc, x0));
    x8 = v128.add<i32>(x8, xc);
    x4 = rot12(v128.xor(x4, x8));
    x0 = v128.add<i32>(x0, x4);
    xc = rot8(v128.xor(xc, x0));
    x8 = v128.add<i32>(x8, xc);
    x4 = rot7(v128.xor(x4, x8));
    x1 = v128.add<i32>(x1, x5);
    xd = rot16(v128.xor(xd, x1));
    x9 = v128.add<i32>(x9, xd);
    x5 = rot12(v128.xor(x5, x9));
    x1 = v128.add<i32>(x1, x5);
    xd = rot8(v128.xor(xd, x1));
    x9 = v128.add<i32>(x9, xd);
    x5 = rot7(v128.xor(x5, x9));
    x2 = v128.add<i32>(x2, x6);
    xe = rot16(v128.xor(xe, x2));
    xa = v128.add<i32>(xa, xe);
    x6 = rot12(v128.xor(x6, xa));
    x2 = v128.add<i32>(x2, x6);
    xe = rot8(v128.xor(xe, x2));
    xa = v128.add<i32>(xa, xe);
    x6 = rot7(v128.xor(x6, xa));
    x3 = v128.add<i32>(x3, x7);
    xf = rot16(v128.xor(xf, x3));
    xb = v128.add<i32>(xb, xf);
    x7 = rot12(v128.xor(x7, xb));
    x3 = v128.add<i32>(x3, x7);
    xf = rot8(v128.xor(xf, x3));
    xb = v128.add<i32>(xb, xf);
    x7 = rot7(v128.xor(x7, xb));
    x0 = v128.add<i32>(x0, x5);
    xf = rot16(v128.xor(xf, x0));
    xa = v128.add<i32>(xa, xf);
    x5 = rot12(v128.xor(x5, xa));
    x0 = v128.add<i32>(x0, x5);
    xf = rot8(v128.xor(xf, x0));
    xa = v128.add<i32>(xa, xf);
    x5 = rot7(v128.xor(x5, xa));
    x1 = v128.add<i32>(x1, x6);
    xc = rot16(v128.xor(xc, x1));
    xb = v128.add<i32>(xb, xc);
    x6 = rot12(v128.xor(x6, xb));
    x1 = v128.add<i32>(x1, x6);
    xc = rot8(v128.xor(xc, x1));
    xb = v128.add<i32>(xb, xc);
    x6 = rot7(v128.xor(x6, xb));
    x2 = v128.add<i32>(x2, x7);
    xd = rot16(v128.xor(xd, x2));
    x8 = v128.add<i32>(x8, xd);
    x7 = rot12(v128.xor(x7, x8));
    x2 = v128.add<i32>(x2, x7);
    xd = rot8(v128.xor(xd, x2));
    x8 = v128.add<i32>(x8, xd);
    x7 = rot7(v128.xor(x7, x8));
    x3 = v128.add<i32>(x3, x4);
    xe = rot16(v128.xor(xe, x3));
    x9 = v128.add<i32>(x9, xe);
    x4 = rot12(v128.xor(x4, x9));
    x3 = v128.add<i32>(x3, x4);
    xe = rot8(v128.xor(xe, x3));
    x9 = v128.add<i32>(x9, xe);
    x4 = rot7(v128.xor(x4, x9));
  }
  x0 = v128.add<i32>(x0, v128.load_splat<u32>(state));
  x1 = v128.add<i32>(x1, v128.load_splat<u32>(state + 4));
  x2 = v128.add<i32>(x2, v128.load_splat<u32>(state + 8));
  x3 = v128.add<i32>(x3, v128.load_splat<u32>(state + 12));
  lay(from, to, x0, x1, x2, x3);
  x4 = v128.add<i32>(x4, v128.load_splat<u32>(state + 16));
  x5 = v128.add<i32>(x5, v128.load_splat<u32>(state + 20));
  x6 = v128.add<i32>(x6, v128.load_splat<u32>(state + 24));
  x7 = v128.add<i32>(x7, v128.load_splat<u32>(state + 28));
  lay(from + 16, to + 16, x4, x5, x6, x7);
  x8 = v128.add<i32>(x8, v128.load_splat<u32>(state + 32));
  x9 = v128.add<i32>(x9, v128.load_splat<u32>(state + 36));
  xa = v128.add<i32>(xa, v128.load_splat<u32>(state + 40));
  xb = v128.add<i32>(xb, v128.load_splat<u32>(state + 44));
  lay(from + 32, to + 32, x8, x9, xa, xb);
  xc = v128.add<i32>(xc, lanes);
  xd = v128.add<i32>(xd, v128.load_splat<u32>(state + 52));
  xe = v128.add<i32>(xe, v128.load_splat<u32>(state + 56));
  xf = v128.add<i32>(xf, v128.load_splat<u32>(state + 60));
  lay(from + 48, to + 48, xc, xd, xe, xf);
}
