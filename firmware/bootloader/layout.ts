/**
 * What lies in the flash of a board: its trusted key, two slots, and the trailer of each; the format of the image in a
 * slot; and the words that the bootloader and a host exchange. Integers only: the AssemblyScript compiler and Node both
 * read this file as it is.
 *
 * [MCUboot] docs/design.md: image format, image trailer, direct-xip; bootutil/image.h
 */

// ---------------------------------------------------------------------------------------------- flash map
/**
 * Smallest piece that can be erased on every board of ours, and that can be written; a written one must be erased before
 * it is written anew.
 */
export const SECTOR_BYTES: u32 = 0x10000;
export const UNIT_BYTES: u32 = 8;
/** What the factory writes: kind of the board and trusted key. No protocol reaches it. */
export const BOARD_AT: u32 = 0;
/** Security counter: the beginnings of two sectors, written in turn. No protocol reaches them. */
export const COUNTER_AT: u32 = BOARD_AT + SECTOR_BYTES;
export const COUNTER_SECTORS: u32 = 2;
export const COUNTER_BYTES: u32 = 2048; // of each that are used
export const SLOT_AT: u32 = 0x80000;
export const SLOT_BYTES: u32 = 0x180000;
export const SLOTS: u32 = 2;
export const FLASH_BYTES: u32 = SLOT_AT + SLOTS * SLOT_BYTES;
/** An image ends before the sector of the trailer. */
export const IMAGE_MAX: u32 = SLOT_BYTES - SECTOR_BYTES;

// ------------------------------------------------------------------------------------------- board sector
export const BOARD_MAGIC: u32 = 0x42524353; // "SCRB"
export const BOARD_MAGIC_AT: u32 = 0; // u32
export const BOARD_KIND_AT: u32 = 4; // u32, KIND_*
export const BOARD_KEY_AT: u32 = 8; // 32 bytes, Ed25519 public key
export const BOARD_CHECK_AT: u32 = 40; // 32 bytes, SHA-256 of all before
export const BOARD_BYTES: u32 = 72;
export const KIND_EMULATED: u32 = 1; // the image is a WebAssembly module
export const KIND_CORTEX_M: u32 = 2; // the image is code of a Cortex-M

// ------------------------------------------------------------------------------------------- slot trailer
/** Offsets in the slot. The last three units are where MCUboot has them for 8-byte writes. */
export const TRAILER_AT: u32 = SLOT_BYTES - SECTOR_BYTES;
/** The upload under way: length, ~length, SHA-256 of the whole file; then a unit for each piece that is written. */
export const UPLOAD_AT: u32 = TRAILER_AT;
export const UPLOAD_BYTES: u32 = 40;
export const PIECE_BYTES: u32 = 0x10000;
export const PIECES_AT: u32 = TRAILER_AT + 64;
export const PIECES: u32 = SLOT_BYTES / PIECE_BYTES;
export const UPLOAD_END: u32 = PIECES_AT + PIECES * UNIT_BYTES;
/** Order of installation, ~order: the last one that is not rejected boots. */
export const ORDER_AT: u32 = SLOT_BYTES - 64;
/** Flags: a unit that begins with FLAG_SET. */
export const REJECTED_AT: u32 = SLOT_BYTES - 48;
export const TRIED_AT: u32 = SLOT_BYTES - 32; // copy_done
export const CONFIRMED_AT: u32 = SLOT_BYTES - 24; // image_ok
export const MAGIC_AT: u32 = SLOT_BYTES - 16; // 16 bytes, boot_img_magic
export const FLAG_SET: u32 = 1;
export const TRAILER_MAGIC_0: u32 = 0xf395c277;
export const TRAILER_MAGIC_1: u32 = 0x7fefd260;
export const TRAILER_MAGIC_2: u32 = 0x0f505235;
export const TRAILER_MAGIC_3: u32 = 0x8079b62c;

// ------------------------------------------------------------------------------------------------- image
export const IMAGE_MAGIC: u32 = 0x96f3b83d;
export const HEADER_BYTES: u32 = 32; // at least; the payload begins where HEADER_SIZE_AT says
export const HEADER_MAGIC_AT: u32 = 0; // u32
export const HEADER_LOAD_AT: u32 = 4; // u32, 0
export const HEADER_SIZE_AT: u32 = 8; // u16
export const HEADER_PROTECTED_AT: u32 = 10; // u16, bytes of the protected TLV area, its info included
export const HEADER_IMAGE_AT: u32 = 12; // u32, bytes of the payload
export const HEADER_FLAGS_AT: u32 = 16; // u32, 0
export const HEADER_VERSION_AT: u32 = 20; // u8 major, u8 minor, u16 revision, u32 build
export const HEADER_MAX: u32 = 4096;
export const TLV_INFO_BYTES: u32 = 4; // u16 magic, u16 bytes of the area, itself included
export const TLV_INFO_MAGIC: u32 = 0x6907;
export const TLV_PROTECTED_MAGIC: u32 = 0x6908;
export const TLV_BYTES: u32 = 4; // u16 type, u16 length, then the value
export const TLV_AREA_MAX: u32 = 1024;
export const TLV_KEYHASH: u32 = 0x01; // 32 bytes, SHA-256 of the key as SubjectPublicKeyInfo
export const TLV_SHA256: u32 = 0x10; // 32 bytes, of header, payload and protected TLVs
export const TLV_ED25519: u32 = 0x24; // 64 bytes, signature of that digest
export const TLV_SEC_CNT: u32 = 0x50; // u32, protected
export const TLV_BOARD: u32 = 0xa0; // u32, protected, KIND_*; a vendor's type, 0x?a0 to 0x?fe

// ------------------------------------------------------------------------- what is wrong with an image
export const IMAGE_GOOD: u32 = 0;
export const IMAGE_NONE: u32 = 1; // no header there
export const IMAGE_MALFORMED: u32 = 2;
export const IMAGE_DIGEST: u32 = 3; // changed since it was made, or not written whole
export const IMAGE_KEY: u32 = 4; // signed by another key
export const IMAGE_SIGNATURE: u32 = 5;
export const IMAGE_BOARD: u32 = 6; // for another kind of board
export const IMAGE_DOWNGRADE: u32 = 7; // security counter below the board's
export const IMAGE_UNPROVISIONED: u32 = 8; // the board trusts no key
export const IMAGE_REJECTED: u32 = 9; // was on trial and not confirmed

// ------------------------------------------------------------------------------------------ what boot says
export const BOOT_RECOVERY: u32 = 0; // the bootloader stays and serves its protocols
export const BOOT_WAITING: u32 = 1; // an image is about to boot; a host may still ask the bootloader to stay
export const BOOT_JUMPED: u32 = 2; // the image of a slot has the board

/** So long a host may speak up before an image boots. */
export const WAIT_MS: u32 = 250;
export const WAIT_QUIET_MS: u32 = 50; // and until nothing has come for so long,
export const WAIT_MAX_MS: u32 = 1500; // but no longer than this

// --------------------------------------------------------------------------------------------------- SMP
/** [SMP] Zephyr's services/device_mgmt/smp_protocol, smp_transport; groups 0, 1 and one of our own */
export const SMP_BUFFER_BYTES: u32 = 2048; // longest request, header included
export const SMP_BUFFERS: u32 = 4; // requests a host may have under way
export const SMP_GROUP_OS: u32 = 0;
export const SMP_GROUP_IMAGE: u32 = 1;
export const SMP_GROUP_BOARD: u32 = 64; // MGMT_GROUP_ID_PERUSER
export const SMP_OK: u32 = 0;
export const SMP_UNKNOWN: u32 = 1;
export const SMP_INVALID: u32 = 3;
export const SMP_NO_ENTRY: u32 = 5;
export const SMP_BAD_STATE: u32 = 6;
export const SMP_UNSUPPORTED: u32 = 8;
export const SMP_IMAGE: u32 = 256; // MGMT_ERR_EPERUSER and IMAGE_*: what is wrong with the image

// ------------------------------------------------------------------------------------------------ AN3155
/** [AN3155] 3: the window that a host sees; behind it lies the slot that takes uploads. */
export const STM32_FLASH_AT: u32 = 0x08000000;
export const STM32_PAGE_BYTES: u32 = 2048;
export const STM32_PRODUCT: u32 = 0x415; // two of its properties are those of our window: pages of 2 KiB, units of 8 bytes
export const STM32_VERSION: u32 = 0x5c; // no version of ST's: a host that sees it may speak SMP
