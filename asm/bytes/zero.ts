/**
 * Is a run of memory all zero? The dump asks it of every chunk, so it stops at the first line that is not.
 *
 * [wasm] WebAssembly core 2.0, 4.4.3 "Vector Instructions": v128.any_true
 */

/** True when the `bytes` bytes at `ptr` are all zero; true for none. Any alignment, any length. */
export function is_zero(ptr: usize, bytes: u32): bool {
  if (ASC_FEATURE_SIMD) {
    for (let lines = bytes >> 8; lines; lines--) {
      if (v128.any_true(line(ptr))) return false;
      ptr += 256;
    }
    for (let rows = (bytes & 255) >> 4; rows; rows--) {
      if (v128.any_true(v128.load(ptr))) return false;
      ptr += 16;
    }
  } else {
    for (let lines = bytes >> 5; lines; lines--) {
      if (load<u64>(ptr) | load<u64>(ptr, 8) | load<u64>(ptr, 16) | load<u64>(ptr, 24)) return false;
      ptr += 32;
    }
    for (let words = (bytes & 31) >> 2; words; words--) {
      if (load<u32>(ptr)) return false;
      ptr += 4;
    }
  }
  for (let left = bytes & (ASC_FEATURE_SIMD ? 15 : 3); left; left--) {
    if (load<u8>(ptr)) return false;
    ptr++;
  }
  return true;
}

/** The sixteen rows of 256 bytes, or-ed as a tree so that the loads do not wait for each other. */
// @ts-ignore: decorator
@inline
function line(ptr: usize): v128 {
  return v128.or(
    v128.or(
      v128.or(v128.or(v128.load(ptr), v128.load(ptr, 16)), v128.or(v128.load(ptr, 32), v128.load(ptr, 48))),
      v128.or(
        v128.or(v128.load(ptr, 64), v128.load(ptr, 80)),
        v128.or(v128.load(ptr, 96), v128.load(ptr, 112)),
      ),
    ),
    v128.or(
      v128.or(
        v128.or(v128.load(ptr, 128), v128.load(ptr, 144)),
        v128.or(v128.load(ptr, 160), v128.load(ptr, 176)),
      ),
      v128.or(
        v128.or(v128.load(ptr, 192), v128.load(ptr, 208)),
        v128.or(v128.load(ptr, 224), v128.load(ptr, 240)),
      ),
    ),
  );
}
