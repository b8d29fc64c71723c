/**
 * CRC32 as the GPT and gzip use it. Volumes are formatted rarely, so one table will do.
 *
 * [UEFI]  2.10, 5.3.2 "GPT Header": HeaderCRC32, PartitionEntryArrayCRC32
 * [V.42]  ITU-T V.42 8.1.1.6.2: polynomial 04C11DB7h, reflected EDB88320h
 */
const POLYNOMIAL: u32 = 0xedb88320;
const TABLE = memory.data(64, 16);
let ready = false;

function fill(): void {
  for (let n: u32 = 0; n < 16; n++) {
    let crc = n;
    for (let bit = 0; bit < 4; bit++) crc = (crc >> 1) ^ (POLYNOMIAL & (0 - (crc & 1)));
    store<u32>(TABLE + (n << 2), crc);
  }
  ready = true;
}

/** CRC32 of `bytes` bytes at `ptr`, continued from `crc` (0 at the start). */
export function crc32(crc: u32, ptr: usize, bytes: u32): u32 {
  if (!ready) fill();
  crc = ~crc;
  for (; bytes; bytes--, ptr++) {
    crc ^= load<u8>(ptr);
    crc = (crc >> 4) ^ load<u32>(TABLE + ((crc & 15) << 2));
    crc = (crc >> 4) ^ load<u32>(TABLE + ((crc & 15) << 2));
  }
  return ~crc;
}
