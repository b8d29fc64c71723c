/**
 * A firmware image in MCUboot's format: header, payload, protected TLVs (security counter, kind of board), and TLVs with
 * digest, name of the key and signature. Read strictly: what the bootloader would refuse is refused here, too.
 *
 * [MCUboot] docs/design.md "Image format"; scripts/imgtool/image.py
 */
import { type KeyObject, createHash, sign, verify } from 'node:crypto';
import * as L from '../../firmware/bootloader/layout.ts';
import { EXIT_BAD_FLASH_IMAGE, InputError } from '../input-error.ts';
import { keyHash } from './keys.ts';
import type { ImageVersion } from './version.ts';

export interface Tlv {
  type: number;
  isProtected: boolean;
  value: Buffer;
}

export interface Image {
  bytes: Buffer;
  version: ImageVersion;
  headerBytes: number;
  payload: Buffer;
  tlvs: Tlv[];
  /** Of the security counter. */
  counter: number;
  /** KIND_* of the board it is for. */
  board: number;
  digest: Buffer;
  keyHash: Buffer;
  signature: Buffer;
}

export interface ImageOptions {
  version: ImageVersion;
  counter: number;
  board: number;
  key: KeyObject;
  /** Where the payload begins; code that runs in place wants its vector table aligned. */
  headerBytes?: number;
}

const bad = (what: string): InputError => new InputError(`image refused: ${what}`, EXIT_BAD_FLASH_IMAGE);

/** Types that may be there once, with the length each must have, and whether it must be protected. */
const KNOWN: ReadonlyMap<number, { bytes: number; isProtected: boolean; name: string }> = new Map([
  [L.TLV_SEC_CNT, { bytes: 4, isProtected: true, name: 'security counter' }],
  [L.TLV_BOARD, { bytes: 4, isProtected: true, name: 'kind of board' }],
  [L.TLV_SHA256, { bytes: 32, isProtected: false, name: 'SHA-256' }],
  [L.TLV_KEYHASH, { bytes: 32, isProtected: false, name: 'hash of the key' }],
  [L.TLV_ED25519, { bytes: 64, isProtected: false, name: 'Ed25519 signature' }],
]);

/** The TLVs of one area; `at` is where its info begins. */
function readArea(
  bytes: Buffer,
  at: number,
  magic: number,
  isProtected: boolean,
): { tlvs: Tlv[]; end: number } {
  if (at + L.TLV_INFO_BYTES > bytes.length) throw bad('it ends before its TLVs');
  if (bytes.readUInt16LE(at) !== magic) throw bad(`no TLVs where they should be (offset ${at})`);
  const size = bytes.readUInt16LE(at + 2);
  const end = at + size;
  if (size < L.TLV_INFO_BYTES || size > L.TLV_AREA_MAX || end > bytes.length)
    throw bad('its TLVs have a wrong size');
  const tlvs: Tlv[] = [];
  for (let next = at + L.TLV_INFO_BYTES; next < end;) {
    if (next + L.TLV_BYTES > end) throw bad('a TLV is cut off');
    const length = bytes.readUInt16LE(next + 2);
    const from = next + L.TLV_BYTES;
    if (from + length > end) throw bad('a TLV is longer than its area');
    tlvs.push({ type: bytes.readUInt16LE(next), isProtected, value: bytes.subarray(from, from + length) });
    next = from + length;
  }
  return { tlvs, end };
}

function one(tlvs: readonly Tlv[], type: number): Buffer {
  const known = KNOWN.get(type)!;
  const found = tlvs.filter((tlv) => tlv.type === type);
  if (found.length === 0) throw bad(`it has no ${known.name}`);
  const [tlv] = found;
  if (found.length > 1 || tlv!.value.length !== known.bytes || tlv!.isProtected !== known.isProtected) {
    throw bad(`its ${known.name} is malformed`);
  }
  return tlv!.value;
}

/** Reads an image and compares its digest; whose it is, `isSignedBy` says. */
export function parseImage(input: Uint8Array): Image {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.length);
  if (bytes.length < L.HEADER_BYTES || bytes.readUInt32LE(L.HEADER_MAGIC_AT) !== L.IMAGE_MAGIC) {
    throw bad('no MCUboot image header; sparecore image sign makes an image of a firmware build');
  }
  if (bytes.length > L.IMAGE_MAX) throw bad(`${bytes.length} bytes, more than a slot holds (${L.IMAGE_MAX})`);
  const headerBytes = bytes.readUInt16LE(L.HEADER_SIZE_AT);
  const protectedBytes = bytes.readUInt16LE(L.HEADER_PROTECTED_AT);
  const payloadBytes = bytes.readUInt32LE(L.HEADER_IMAGE_AT);
  if (headerBytes < L.HEADER_BYTES || headerBytes > L.HEADER_MAX) throw bad('its header has a wrong size');
  if (bytes.readUInt32LE(L.HEADER_LOAD_AT) !== 0 || bytes.readUInt32LE(L.HEADER_FLAGS_AT) !== 0) {
    throw bad('it asks to be loaded, decrypted or otherwise treated; these boards run images in place');
  }
  const payloadEnd = headerBytes + payloadBytes;
  if (payloadEnd > bytes.length) throw bad('it is cut off');
  const shielded = readArea(bytes, payloadEnd, L.TLV_PROTECTED_MAGIC, true);
  if (shielded.end - payloadEnd !== protectedBytes)
    throw bad('its protected TLVs have another size than its header says');
  const open = readArea(bytes, shielded.end, L.TLV_INFO_MAGIC, false);
  if (open.end !== bytes.length) throw bad(`${bytes.length - open.end} bytes lie behind its end`);
  const tlvs = [...shielded.tlvs, ...open.tlvs];
  const digest = one(tlvs, L.TLV_SHA256);
  const actual = createHash('sha256').update(bytes.subarray(0, shielded.end)).digest();
  if (!actual.equals(digest)) throw bad('its SHA-256 is not that of its content: it was changed or damaged');
  const at = L.HEADER_VERSION_AT;
  return {
    bytes,
    version: {
      major: bytes[at]!,
      minor: bytes[at + 1]!,
      revision: bytes.readUInt16LE(at + 2),
      build: bytes.readUInt32LE(at + 4),
    },
    headerBytes,
    payload: bytes.subarray(headerBytes, payloadEnd),
    tlvs,
    counter: one(tlvs, L.TLV_SEC_CNT).readUInt32LE(),
    board: one(tlvs, L.TLV_BOARD).readUInt32LE(),
    digest,
    keyHash: one(tlvs, L.TLV_KEYHASH),
    signature: one(tlvs, L.TLV_ED25519),
  };
}

export function isSignedBy(image: Image, key: KeyObject): boolean {
  return image.keyHash.equals(keyHash(key)) && verify(null, image.digest, key, image.signature);
}

const tlv = (type: number, value: Buffer): Buffer => {
  const head = Buffer.alloc(L.TLV_BYTES);
  head.writeUInt16LE(type);
  head.writeUInt16LE(value.length, 2);
  return Buffer.concat([head, value]);
};

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

function area(magic: number, tlvs: readonly Buffer[]): Buffer {
  const body = Buffer.concat(tlvs);
  const info = Buffer.alloc(L.TLV_INFO_BYTES);
  info.writeUInt16LE(magic);
  info.writeUInt16LE(L.TLV_INFO_BYTES + body.length, 2);
  return Buffer.concat([info, body]);
}

/** An image of `payload`: the same bytes for the same payload, options and key. */
export function makeImage(payload: Uint8Array, options: ImageOptions): Buffer {
  const { version, counter, board, key, headerBytes = L.HEADER_BYTES } = options;
  const shielded = area(L.TLV_PROTECTED_MAGIC, [
    tlv(L.TLV_SEC_CNT, u32(counter)),
    tlv(L.TLV_BOARD, u32(board)),
  ]);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(L.IMAGE_MAGIC, L.HEADER_MAGIC_AT);
  header.writeUInt16LE(headerBytes, L.HEADER_SIZE_AT);
  header.writeUInt16LE(shielded.length, L.HEADER_PROTECTED_AT);
  header.writeUInt32LE(payload.length, L.HEADER_IMAGE_AT);
  header[L.HEADER_VERSION_AT] = version.major;
  header[L.HEADER_VERSION_AT + 1] = version.minor;
  header.writeUInt16LE(version.revision, L.HEADER_VERSION_AT + 2);
  header.writeUInt32LE(version.build, L.HEADER_VERSION_AT + 4);
  const signed = Buffer.concat([header, payload, shielded]);
  const digest = createHash('sha256').update(signed).digest();
  const open = area(L.TLV_INFO_MAGIC, [
    tlv(L.TLV_SHA256, digest),
    tlv(L.TLV_KEYHASH, keyHash(key)),
    tlv(L.TLV_ED25519, sign(null, digest, key)),
  ]);
  const image = Buffer.concat([signed, open]);
  if (image.length > L.IMAGE_MAX) throw bad(`${image.length} bytes, more than a slot holds (${L.IMAGE_MAX})`);
  return image;
}
