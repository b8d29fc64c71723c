/** CRC-16/XMODEM: polynomial 1021h, nothing before, nothing after. With its own checksum behind it, a frame has 0. */
export function crc16(at: usize, bytes: u32): u32 {
  let crc: u32 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    crc ^= (<u32>load<u8>(at + i)) << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ ((crc & 0x8000) != 0 ? 0x1021 : 0);
  }
  return crc & 0xffff;
}
