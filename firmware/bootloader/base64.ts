/** [RFC 4648] 4: the characters of base64. */
const NOT: u32 = 0xff;
export const BASE64_BAD: u32 = NOT;
export const BASE64_PAD: u32 = 64;

/** Six bits, BASE64_PAD, or BASE64_BAD. */
export function base64_value(character: u32): u32 {
  if (character >= 0x41 && character <= 0x5a) return character - 0x41;
  if (character >= 0x61 && character <= 0x7a) return character - 0x61 + 26;
  if (character >= 0x30 && character <= 0x39) return character - 0x30 + 52;
  if (character == 0x2b) return 62;
  if (character == 0x2f) return 63;
  return character == 0x3d ? BASE64_PAD : NOT;
}

export function base64_character(value: u32): u8 {
  if (value < 26) return <u8>(0x41 + value);
  if (value < 52) return <u8>(0x61 + value - 26);
  if (value < 62) return <u8>(0x30 + value - 52);
  return value == 62 ? 0x2b : 0x2f;
}

/** Writes `bytes` bytes as characters to `to`; where they end. */
export function base64_encode(from: usize, bytes: u32, to: usize): usize {
  for (let done: u32 = 0; done < bytes; done += 3) {
    const left = bytes - done;
    let word: u32 = 0;
    for (let i: u32 = 0; i < 3; i++) word = (word << 8) | (i < left ? <u32>load<u8>(from + done + i) : 0);
    for (let i: u32 = 0; i < 4; i++) {
      store<u8>(to++, i > left ? 0x3d : base64_character((word >> (18 - 6 * i)) & 63));
    }
  }
  return to;
}
