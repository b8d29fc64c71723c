/**
 * The boot region of an exFAT volume.
 *
 * [exFAT] Microsoft, "exFAT file system specification", 3.1 main boot sector, 3.4 boot checksum
 */
import { Fields } from './source.ts';
import type { Read } from './source.ts';

export interface Geometry {
  sectorBytes: number;
  clusterBytes: number;
  clusters: number;
  /** Byte offsets from the volume's start. */
  fatAt: number;
  heapAt: number;
  rootCluster: number;
  serial: number;
  dirty: boolean;
  volumeBytes: number;
}

const SECTORS = 12;

/** Malformed unless the main boot region is whole and fits a region of `bytes` bytes. */
export function bootSector(read: Read, bytes: number): Geometry {
  const boot = Fields.read('exFAT volume', read, 0, 512);
  if (boot.text(3, 8) !== 'EXFAT   ' || boot.u16(510) !== 0xaa55) boot.fail(3, 'not an exFAT boot sector');
  const sectorShift = boot.u8(108);
  const clusterShift = boot.u8(109);
  if (sectorShift < 9 || sectorShift > 12) boot.fail(108, `sectors of 2^${sectorShift} bytes`);
  if (clusterShift > 25 - sectorShift) boot.fail(109, `clusters of 2^${clusterShift} sectors`);
  const sectorBytes = 1 << sectorShift;
  const clusterBytes = sectorBytes * 2 ** clusterShift;
  const region = Fields.read('exFAT volume', read, 0, SECTORS * sectorBytes);
  const stored = region.u32((SECTORS - 1) * sectorBytes);
  if (stored !== checksum(region.bytes, sectorBytes))
    region.fail((SECTORS - 1) * sectorBytes, 'a wrong checksum');
  const volumeBytes = boot.size(72) * sectorBytes;
  const fatAt = boot.u32(80) * sectorBytes;
  const fatBytes = boot.u32(84) * sectorBytes;
  const heapAt = boot.u32(88) * sectorBytes;
  const clusters = boot.u32(92);
  const rootCluster = boot.u32(96);
  if (volumeBytes > bytes) boot.fail(72, `a volume of ${volumeBytes} bytes in a region of ${bytes}`);
  if (boot.u8(110) !== 1) boot.fail(110, `${boot.u8(110)} FATs`);
  if (fatAt < 2 * SECTORS * sectorBytes || fatAt + fatBytes > heapAt) boot.fail(80, 'a FAT out of place');
  if (fatBytes < (clusters + 2) * 4) boot.fail(84, 'a FAT too small');
  if (heapAt + clusters * clusterBytes > volumeBytes) boot.fail(92, `${clusters} clusters`);
  if (rootCluster < 2 || rootCluster >= clusters + 2)
    boot.fail(96, `root directory in cluster ${rootCluster}`);
  const dirty = (boot.u16(106) & 2) !== 0;
  return {
    sectorBytes,
    clusterBytes,
    clusters,
    fatAt,
    heapAt,
    rootCluster,
    serial: boot.u32(100),
    dirty,
    volumeBytes,
  };
}

function checksum(region: Uint8Array, sectorBytes: number): number {
  let sum = 0;
  for (let at = 0; at < (SECTORS - 1) * sectorBytes; at++) {
    if (at === 106 || at === 107 || at === 112) continue;
    sum = ((sum & 1 ? 0x80000000 : 0) + (sum >>> 1) + region[at]!) >>> 0;
  }
  return sum;
}
