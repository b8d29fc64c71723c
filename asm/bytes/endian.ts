/**
 * Big-endian fields at any alignment. Little-endian ones are plain wasm loads and stores.
 *
 * [SPC-4] 3.6.2: multi-byte fields have their most significant byte first
 */

export function load_be16(ptr: usize): u32 {
  return bswap<u16>(load<u16>(ptr));
}

export function load_be24(ptr: usize): u32 {
  return ((<u32>load<u8>(ptr)) << 16) | load_be16(ptr + 1);
}

export function load_be32(ptr: usize): u32 {
  return bswap<u32>(load<u32>(ptr));
}

export function load_be64(ptr: usize): u64 {
  return bswap<u64>(load<u64>(ptr));
}

export function store_be16(ptr: usize, value: u32): void {
  store<u16>(ptr, bswap<u16>(<u16>value));
}

export function store_be24(ptr: usize, value: u32): void {
  store<u8>(ptr, value >> 16);
  store_be16(ptr + 1, value);
}

export function store_be32(ptr: usize, value: u32): void {
  store<u32>(ptr, bswap<u32>(value));
}

export function store_be64(ptr: usize, value: u64): void {
  store<u64>(ptr, bswap<u64>(value));
}
