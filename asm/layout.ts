/**
 * Constants that both sides of a border must agree on: the HBA rings, the device server's host calls, and what is
 * on a disk. Integers only, so that the AssemblyScript compiler and Node both read this file as it is.
 * Names of byte offsets end in _AT, of sizes in _BYTES, of addresses counted in logical blocks in _LBA.
 */

// ---------------------------------------------------------------------------------------------------------------
// Submission and completion rings between firmware and HBA; both lie in board RAM, little-endian.
// ---------------------------------------------------------------------------------------------------------------

/** Submission queue entry. */
export const SQE_BYTES = 64;
export const SQE_TAG_AT = 0; // u32, returned in the completion
export const SQE_TARGET_AT = 4; // u16, target number on the fabric (one disk each)
export const SQE_PORT_AT = 6; // u8, HBA port = path: 0 or 1
export const SQE_FLAGS_AT = 7; // u8, SQE_DATA_*
export const SQE_CDB_AT = 8; // 16 bytes, [SPC-4] 4.3
export const SQE_SGL_AT = 24; // u32, address of the data, or of an array of {address u32, bytes u32}
export const SQE_SGL_COUNT_AT = 28; // u16, 0: SQE_SGL is the data itself, in one piece
export const SQE_CDB_LENGTH_AT = 30; // u8
export const SQE_TMF_AT = 31; // u8, 0: a command; else a task management function, [SAM-5] 7, which an HBA may not know
export const SQE_DATA_BYTES_AT = 32; // u32, the whole transfer
export const SQE_TIMEOUT_MS_AT = 36; // u32, 0: the HBA's default
export const SQE_DATA_IN = 1;
export const SQE_DATA_OUT = 2;

/** Completion queue entry. */
export const CQE_BYTES = 64;
export const CQE_TAG_AT = 0; // u32
export const CQE_HOST_STATUS_AT = 4; // u8, HOST_*
export const CQE_STATUS_AT = 5; // u8, SCSI status when HOST_OK, [SAM-5] 5.3.1
export const CQE_SENSE_LENGTH_AT = 6; // u8
export const CQE_PORT_AT = 7; // u8
export const CQE_RESIDUAL_AT = 8; // u32, bytes asked for and not moved
export const CQE_TARGET_AT = 12; // u16
export const CQE_SENSE_AT = 16; // 48 bytes, [SPC-4] 4.5
export const CQE_SENSE_BYTES = 48;

/** What the HBA itself says of a command, before any SCSI status. */
export const HOST_OK = 0;
export const HOST_NO_TARGET = 1; // selection time-out: nobody there, or the path is down
export const HOST_TIMEOUT = 2; // no answer within SQE_TIMEOUT_MS
export const HOST_ABORTED = 3; // ended by hba.reset or by task management
export const HOST_DMA_ERROR = 4; // a transfer left board RAM, or met poisoned memory
export const HOST_BAD_ENTRY = 5; // a submission the HBA cannot read

/** Interrupt lines, as bits of `interrupt(lines)`, `irq.mask` and `irq.unmask`. */
export const IRQ_HBA = 1;
export const IRQ_INTERCONNECT = 2;
export const IRQ_PORT = 4;
export const IRQ_UART = 8;

/** Front-end port: a request that a client sent to a volume; the port puts it into board RAM. */
export const REQUEST_BYTES = 64;
export const REQUEST_TAG_AT = 0; // u32
export const REQUEST_LUN_AT = 4; // u32, volume number
export const REQUEST_CDB_AT = 8; // 16 bytes
export const REQUEST_DATA_BYTES_AT = 24; // u32

// ---------------------------------------------------------------------------------------------------------------
// Device server: what the host of a logical unit passes to it and gets back. One task block a call, in the memory of
// the disk I/O module, little-endian.
// ---------------------------------------------------------------------------------------------------------------

export const TASK_BYTES = 512;
// in
export const TASK_CDB_AT = 0; // 32 bytes
export const TASK_CDB_LENGTH_AT = 32; // u32
export const TASK_NEXUS_AT = 36; // u32, index given to nexus_login
export const TASK_ATTRIBUTE_AT = 40; // u32, 0 SIMPLE 1 HEAD OF QUEUE 2 ORDERED 4 ACA
export const TASK_DATA_OUT_AT = 44; // u32, address of the parameter list (not of medium data)
export const TASK_DATA_OUT_BYTES_AT = 48; // u32, bytes the initiator offers to send
export const TASK_DATA_IN_AT = 52; // u32, address of a buffer for parameter data (not for medium data)
export const TASK_DATA_IN_BYTES_AT = 56; // u32, bytes the initiator's buffer holds (medium data too)
export const TASK_DATA_IN_ROOM_AT = 60; // u32, bytes of the buffer at TASK_DATA_IN
// out
export const TASK_STATUS_AT = 64; // u32, [SAM-5] 5.3.1
export const TASK_ACTION_AT = 68; // u32, ACTION_*
export const TASK_LBA_LO_AT = 72; // u64
export const TASK_LBA_HI_AT = 76;
export const TASK_BLOCKS_LO_AT = 80; // u64
export const TASK_BLOCKS_HI_AT = 84;
export const TASK_FLAGS_AT = 88; // u32, TASK_FLAG_*
export const TASK_MOVED_BYTES_AT = 92; // u32, bytes of parameter data placed, or of medium data to be moved
export const TASK_RESIDUAL_AT = 96; // u32
export const TASK_OVERFLOW_AT = 100; // u32, 1: the residual is an overflow (the command had more to move)
export const TASK_ABORT_LO_AT = 104; // u64, bit n: abort every other task of nexus n
export const TASK_ABORT_HI_AT = 108;
export const TASK_NV_CHANGED_AT = 112; // u32, 1: lu_nv_* must be made durable before the status is sent
export const TASK_SENSE_LENGTH_AT = 116; // u32
export const TASK_SENSE_AT = 120; // 252 bytes at most
export const TASK_SENSE_BYTES = 252;
// in again: for task management and for the unit attentions of cleared commands
export const TASK_PENDING_LO_AT = 376; // u64, bit n: nexus n has other tasks in the task set
export const TASK_PENDING_HI_AT = 380;
export const TASK_UNITS_AT = 384; // u32, in: address of TASK_UNIT_COUNT addresses (u32) of the units one may copy between
export const TASK_UNIT_COUNT_AT = 388; // u32
// out
export const TASK_EXTENTS_AT = 392; // u32, address of TASK_EXTENT_COUNT extents (ACTION_SANITIZE: bytes of a pattern), in the parameter list's place
export const TASK_EXTENT_COUNT_AT = 396; // u32

export const ACTION_NONE = 0; // the status is final
export const ACTION_READ = 1; // medium to initiator
export const ACTION_WRITE = 2; // initiator to medium
export const ACTION_SYNC = 3; // volatile cache to medium
export const ACTION_VERIFY = 4; // medium read, nothing moved
export const ACTION_WRITE_VERIFY = 5;
export const ACTION_COMPARE_WRITE = 6; // the first half of the data is compared, the second written
export const ACTION_WRITE_SAME = 7; // one block of data, or none with TASK_FLAG_NO_DATA, to all blocks
export const ACTION_UNMAP = 8; // the extents
export const ACTION_OR_WRITE = 9; // data or-ed with what is there
export const ACTION_LBA_STATUS = 10; // the host makes the parameter data from the medium's map
export const ACTION_SANITIZE = 11; // the whole medium, in the background
export const ACTION_COPY = 12; // the extents, from unit to unit
/** What lu_command says of a command. */
export const COMMAND_KNOWN = 1; // this logical unit has it
export const COMMAND_LIST = 2; // its data-out is a parameter list, to be had before lu_execute
export const COMMAND_MEDIUM = 4; // it waits its turn for the medium
export const TASK_FLAG_FUA = 1;
export const TASK_FLAG_DPO = 2;
export const TASK_FLAG_IMMEDIATE = 4; // status may be sent before the action is done
export const TASK_FLAG_UNMAP = 8; // ACTION_WRITE_SAME: deallocate where the data is zero
export const TASK_FLAG_NO_DATA = 16; // ACTION_WRITE_SAME: zeros, nothing is sent
export const TASK_FLAG_COMPARE = 32; // ACTION_VERIFY: BYTCHK 01b, data for every block is sent
export const TASK_FLAG_COMPARE_ONE = 64; // ACTION_VERIFY: BYTCHK 11b, one block of data is sent
export const TASK_FLAG_ATOMIC = 128; // ACTION_WRITE: all blocks or none
/** The medium holds protection information, [SBC-3] 4.22. Without any of these flags it holds none. */
export const TASK_FLAG_PI = 256;
export const TASK_FLAG_PI_MOVED = 512; // each block moved has its PI_BYTES behind it
export const TASK_FLAG_PI_GUARD = 1024; // check the LOGICAL BLOCK GUARD
export const TASK_FLAG_PI_REF = 2048; // check the LOGICAL BLOCK REFERENCE TAG
/** Protection information of a block: guard, application tag, reference tag; big-endian, [SBC-3] 4.22.3. */
export const PI_BYTES = 8;
export const PI_GUARD_AT = 0; // u16
export const PI_APP_AT = 2; // u16
export const PI_REF_AT = 4; // u32
/** What pi_check answers: PI_GOOD, or index of the block << 2 | what of it is wrong. */
export const PI_GOOD = 0xffffffff;
export const PI_BAD_GUARD = 1;
export const PI_BAD_REF = 3;

/** An extent of ACTION_UNMAP. */
export const EXTENT_BYTES = 16;
export const EXTENT_LBA_LO_AT = 0; // u64
export const EXTENT_BLOCKS_AT = 8; // u32
/** An extent of ACTION_COPY. Units are numbers in the table at TASK_UNITS. */
export const COPY_EXTENT_BYTES = 28; // as long as the segment descriptor it is made of
export const COPY_SOURCE_AT = 0; // u32
export const COPY_DESTINATION_AT = 4; // u32
export const COPY_SOURCE_LBA_LO_AT = 8; // u64
export const COPY_DESTINATION_LBA_LO_AT = 16; // u64
export const COPY_BYTES_AT = 24; // u32

/** Nexuses a logical unit can know at once. */
export const NEXUS_MAX = 64;
export const NO_NEXUS = 0xffffffff;
/** Registrations a logical unit can keep at once, [SPC-4] 5.13.7. */
export const REGISTRATION_MAX = 64;

/** What lu_create reads. Texts are ASCII, padded with blanks or NULs; bytes not named are 0. */
export const LU_CONFIG_BYTES = 128;
export const LU_CONFIG_BLOCKS_LO_AT = 0; // u64
export const LU_CONFIG_BLOCKS_HI_AT = 4;
export const LU_CONFIG_BLOCK_BYTES_AT = 8; // u32, 512 or 4096
export const LU_CONFIG_FLAGS_AT = 12; // u32, LU_FLAG_*
export const LU_CONFIG_PHYSICAL_EXPONENT_AT = 16; // u32, log2 of the logical blocks in a physical block
export const LU_CONFIG_ROTATION_AT = 20; // u32, [SBC-3] 6.5.3: 0 not reported, 1 solid state, else rpm
export const LU_CONFIG_WWN_LO_AT = 24; // u64, NAA of the logical unit
export const LU_CONFIG_WWN_HI_AT = 28;
export const LU_CONFIG_PORT1_LO_AT = 32; // u64, NAA of relative target port 1
export const LU_CONFIG_PORT1_HI_AT = 36;
export const LU_CONFIG_PORT2_LO_AT = 40; // u64, NAA of relative target port 2
export const LU_CONFIG_PORT2_HI_AT = 44;
export const LU_CONFIG_DEVICE_LO_AT = 48; // u64, NAA of the target device; 0: not reported
export const LU_CONFIG_DEVICE_HI_AT = 52;
export const LU_CONFIG_MAX_TRANSFER_AT = 56; // u32, blocks a command may move; 0: LU_MAX_TRANSFER
export const LU_CONFIG_PROTOCOL_AT = 60; // u32, protocol identifier [SPC-4] 7.6.1: 5 iSCSI, 6 SAS; 0: SAS
export const LU_CONFIG_VENDOR_AT = 64; // 8 bytes
export const LU_CONFIG_PRODUCT_AT = 72; // 16 bytes
export const LU_CONFIG_REVISION_AT = 88; // 4 bytes
export const LU_CONFIG_SERIAL_AT = 92; // 20 bytes
export const LU_FLAG_WRITE_CACHE = 1; // volatile write cache enabled, WCE of the caching mode page
export const LU_FLAG_READ_ONLY = 2; // write protected
export const LU_FLAG_DESCRIPTOR_SENSE = 4; // D_SENSE of the control mode page
export const LU_FLAG_CONFLICT_FIRST = 8; // RESERVATION CONFLICT before unit attentions other than 29h, [SAM-5] 5.3.3
export const LU_FLAG_THIN = 16; // thin provisioned, [SBC-3] 4.7.3.3: LBPME, LBPRZ
export const LU_FLAG_PROTECTED = 32; // formatted with type 1 protection, [SBC-3] 4.22.2.3
export const LU_MAX_TRANSFER = 65536;
/** What Block Limits says, [SBC-3] 6.5.4, [SBC-4] 6.6.4; in logical blocks. */
export const LU_MAX_COMPARE_AND_WRITE = 128;
export const LU_MAX_UNMAP = 0x100000;
export const LU_MAX_UNMAP_DESCRIPTORS = 256;
export const LU_MAX_WRITE_SAME = 0x400000;
export const LU_MAX_ATOMIC_BYTES = 0x100000;
/** PRE-FETCH of no more than this finds room in the cache. */
export const LU_CACHE_BYTES = 0x1000000;
/** What lu_sanitize is told: up to here how much is done; done; failed. */
export const SANITIZE_PROGRESS_MAX = 0xffff;
export const SANITIZE_DONE = 0x10000;
export const SANITIZE_FAILED = 0x10001;
/** What lu_sanitize_pattern answers when nothing is to be resumed; and the longest pattern, a block. */
export const SANITIZE_NONE = 0xffffffff;
export const SANITIZE_PATTERN_MAX = 4096;
/** What lu_control answers: bits of the control mode page that the keeper of the task set must know, [SPC-4] 7.5.8. */
export const LU_CONTROL_TAS = 1; // a task aborted by another nexus ends with TASK ABORTED, else without any answer
export const LU_CONTROL_QERR = 2; // CHECK CONDITION aborts other tasks: which, TASK_ABORT says after every command
export const LU_CONTROL_QERR_OWN = 4; // those of the same nexus only
export const LU_CONTROL_INTERLOCK = 8; // UA_INTLCK_CTRL 10b: only REQUEST SENSE clears a unit attention condition

/** Names of target ports (lu_target_name), and LUNs of a target (lu_set_luns), that a logical unit keeps. */
export const TARGET_NAME_BYTES = 244; // 223 of an iSCSI name, [RFC 7143] 4.2.7.1, and ",t,0x" with the portal group tag
export const LUN_BYTES = 8; // [SAM-5] 4.7
export const LUN_MAX = 256;

/** What lu_create answers. */
export const LU_OK = 0;
export const LU_BAD_BLOCKS = 1;
export const LU_BAD_BLOCK_BYTES = 2;
export const LU_BAD_EXPONENT = 3;

/** What nexus_login answers. */
export const LOGIN_OK = 0;
export const LOGIN_BAD_NEXUS = 1; // index, or relative target port
export const LOGIN_BAD_ID = 2; // not a TransportID of an initiator port, [SPC-4] 7.6.4
export const TRANSPORT_ID_BYTES = 256;

/** Kinds of lu_reset, [SAM-5] 6.3. */
export const RESET_LOGICAL_UNIT = 1;
export const RESET_HARD = 2;
export const RESET_INTERNAL = 3;

/** Kinds of lu_medium_error. */
export const MEDIUM_READ_ERROR = 1; // 03/1100 unrecovered read error
export const MEDIUM_WRITE_ERROR = 2; // 03/0C00 write error
export const MEDIUM_NOT_READY = 3; // 02/0400 not ready, cause not reportable
export const MEDIUM_MISCOMPARE = 4; // 0E/1D00 miscompare during verify operation
export const MEDIUM_HARDWARE = 5; // 04/4400 internal target failure
export const MEDIUM_ABORTED = 6; // 0B/4400: the command did not run to its end
export const MEDIUM_BAD_GUARD = 7; // 0B/1001 logical block guard check failed
export const MEDIUM_BAD_REF = 8; // 0B/1003 logical block reference tag check failed
export const MEDIUM_MISCOMPARE_AT = 9; // 0E/1D00; INFORMATION is an offset in the data-out buffer
export const MEDIUM_COPY_UNREACHABLE = 10; // 0A/0D02 copy target device not reachable
export const MEDIUM_COPY_FAILED = 11; // 0A/0D01 third party device failure
export const MEDIUM_SANITIZE_FAILED = 12; // 03/3103 sanitize command failed

/** Task management functions and responses, numbered as in [SPL] 9.2.2.3; also SQE_TMF_AT. */
export const TMF_ABORT_TASK = 0x01;
export const TMF_ABORT_TASK_SET = 0x02;
export const TMF_CLEAR_TASK_SET = 0x04;
export const TMF_LOGICAL_UNIT_RESET = 0x08;
export const TMF_I_T_NEXUS_RESET = 0x10;
export const TMF_QUERY_TASK = 0x80; // the host's own, as ABORT TASK is
export const TMF_QUERY_TASK_SET = 0x81;
export const TMF_QUERY_ASYNCHRONOUS_EVENT = 0x82;
export const TMF_COMPLETE = 0x00;
export const TMF_NOT_SUPPORTED = 0x04;
export const TMF_SUCCEEDED = 0x08; // of a query: there is such a task, or a unit attention condition

/** What lu_reservation writes. */
export const LU_RESERVATION_BYTES = 32;
export const LU_RESERVATION_KEY_LO_AT = 0; // u64, 0 of an all registrants type
export const LU_RESERVATION_KEY_HI_AT = 4;
export const LU_RESERVATION_TYPE_AT = 8; // u32, [SPC-4] 6.15.3.4; 0: none
export const LU_RESERVATION_SCOPE_AT = 12; // u32
export const LU_RESERVATION_NEXUS_AT = 16; // u32, of the holder while it is logged in; else NO_NEXUS
export const LU_RESERVATION_GENERATION_AT = 20; // u32, PRgeneration
export const LU_RESERVATION_COUNT_AT = 24; // u32, registrations

/** What lu_registrations writes, one a registration. */
export const LU_REGISTRATION_BYTES = 280;
export const LU_REGISTRATION_KEY_LO_AT = 0; // u64
export const LU_REGISTRATION_KEY_HI_AT = 4;
export const LU_REGISTRATION_NEXUS_AT = 8; // u32, while it is logged in; else NO_NEXUS
export const LU_REGISTRATION_PORT_AT = 12; // u32, relative target port
export const LU_REGISTRATION_HOLDER_AT = 16; // u32, 1: it holds the reservation
export const LU_REGISTRATION_ID_BYTES_AT = 20; // u32
export const LU_REGISTRATION_ID_AT = 24; // TRANSPORT_ID_BYTES

// ---------------------------------------------------------------------------------------------------------------
// On a disk. A GPT ([UEFI] 5.3) names the predetermined regions; sizes below in logical blocks of 512 bytes.
// ---------------------------------------------------------------------------------------------------------------

export const SECTOR_BYTES = 512;
export const LABEL_LBA = 2048;
export const LABEL_BLOCKS = 2048;
export const COREDUMP_LBA = 4096;
export const COREDUMP_BLOCKS = 2048;
export const DATA_LBA = 6144;
/** Blocks behind the data region: alignment, and the backup GPT. */
export const TAIL_BLOCKS = 2048;

/**
 * Label and coredump header: two copies each, so that a torn write leaves the older one. They are neighbours: copy n
 * is at LABEL_LBA (COREDUMP_LBA) + n * COPY_BLOCKS, and one read of 16 blocks fetches both.
 */
export const COPY_BYTES = 4096;
export const COPY_BLOCKS = 8;

export const LABEL_MAGIC = 0x424c4353; // "SCLB"
export const LABEL_VERSION = 1;
export const LABEL_MAGIC_AT = 0; // u32
export const LABEL_VERSION_AT = 4; // u32
export const LABEL_CRC_AT = 8; // u32, CRC32C of the copy with this field 0
export const LABEL_SEQUENCE_AT = 12; // u32, the higher of two valid copies counts
export const LABEL_ROLE_AT = 16; // u32, ROLE_*
export const LABEL_OWNER_AT = 20; // u32, system id of the home board; 0: nobody's
export const LABEL_STATE_AT = 24; // u32, LABEL_FORMATTED, LABEL_NOT_FORMATTED
export const LABEL_VOLUME_AT = 28; // u32, volume number; NO_VOLUME: none
export const LABEL_WWN_LO_AT = 32; // u64, NAA of the disk it was written to
export const LABEL_WWN_HI_AT = 36;
export const LABEL_HOLDER_AT = 40; // u32, system id of the board that has it now (a partner after takeover)
export const LABEL_NAME_AT = 48; // 16 bytes, NUL-padded ASCII
export const LABEL_NAME_BYTES = 16;
export const LABEL_FORMATTED = 1;
export const LABEL_NOT_FORMATTED = 2;
export const NO_VOLUME = 0xffff;

export const ROLE_FREE = 0;
export const ROLE_ROOT = 1;
export const ROLE_DATA = 2;
export const ROLE_SPARE = 3;
export const ROLE_DUMP = 4;
export const ROLE_MAILBOX = 5;

/** Coredump header: what the invention calls the attribute, and where the image is. */
export const HEADER_MAGIC = 0x48444353; // "SCDH"
export const HEADER_VERSION = 1;
export const HEADER_MAGIC_AT = 0; // u32
export const HEADER_VERSION_AT = 4; // u32
export const HEADER_CRC_AT = 8; // u32, CRC32C of the copy with this field 0
export const HEADER_SEQUENCE_AT = 12; // u32
export const HEADER_ATTRIBUTE_AT = 16; // u32, ATTRIBUTE_*
export const HEADER_SYSTEM_AT = 20; // u32, system id of the board whose memory it is
export const HEADER_EPOCH_AT = 24; // u32, its boot epoch
export const HEADER_REASON_AT = 28; // u32, PANIC_*
export const HEADER_MEMORY_BYTES_AT = 32; // u64
export const HEADER_CHUNK_BYTES_AT = 40; // u32
export const HEADER_CHUNK_TOTAL_AT = 44; // u32
export const HEADER_TABLE_LBA_AT = 48; // u64, first block of the chunk table
export const HEADER_IMAGE_LBA_AT = 56; // u64, first block of the image
export const HEADER_IMAGE_BLOCKS_AT = 64; // u64, room for the image
export const HEADER_TABLE_ROOM_AT = 72; // u32, table blocks there is room for
export const HEADER_TABLE_COUNT_AT = 76; // u32, table blocks written
export const HEADER_STORED_BYTES_AT = 80; // u64
export const HEADER_ZERO_AT = 88; // u32, chunks
export const HEADER_STORED_AT = 92; // u32, chunks
export const HEADER_LOST_AT = 96; // u32, chunks tried and not written
export const HEADER_ABORT_AT = 100; // u32, ABORT_*
export const HEADER_FAILED_US_AT = 104; // u64, board time of the failure
export const HEADER_STARTED_US_AT = 112; // u64, of the attribute's change to dumping
export const HEADER_ENDED_US_AT = 120; // u64, 0 while dumping
export const HEADER_LIMIT_MS_AT = 128; // u32, counted from the failure
export const HEADER_SAVED_AT = 132; // u32, SAVED_*
export const HEADER_UTC_AT = 136; // u64, seconds of the board's real-time clock at the failure
export const HEADER_BUILD_AT = 144; // 32 bytes, firmware build id
export const HEADER_BUILD_BYTES = 32;
export const HEADER_RECORD_AT = 176; // u32, address of the panic record in the memory
export const HEADER_ORDER_COUNT_AT = 180; // u32
export const HEADER_WRITTEN_US_AT = 184; // u64, board time of this header
export const HEADER_POISONED_AT = 192; // u32, chunks left out, because no page of them can be read
export const HEADER_CODEC_AT = 196; // u32, CODEC_LZ4: chunks were compressed where that saves a block; else 0
export const HEADER_SCRUB_COUNT_AT = 200; // u32
export const HEADER_SAVE_TRIES_AT = 204; // u32, tries to make a core file, counted before each
export const HEADER_SAVE_CLUSTER_AT = 208; // u32, first cluster that the last try chose in the root file system
export const HEADER_SAVE_CLUSTERS_AT = 212; // u32, how many; 0: none yet
export const HEADER_SAVE_CLEAN_AT = 216; // u32, 1: that volume was not marked as dirty before
export const HEADER_CIPHER_AT = 220; // u32, CIPHER_*: how the chunks are encrypted
export const HEADER_CIPHER_PUBLIC_AT = 224; // 32 bytes, the board's own public key for this dump
export const HEADER_ORDER_AT = 256; // ORDER_BYTES each: first chunk u32, chunks u32, kind u32, 0
export const ORDER_BYTES = 16;
export const ORDER_MAX = 64;
/** Regions that were cleared before the dump, because they held secrets: they are zero in the image. */
export const HEADER_SCRUB_AT = 1280; // SCRUB_BYTES each: address u32, bytes u32, kind u32, 0
export const SCRUB_BYTES = 16;
export const SCRUB_MAX = 16;
export const HEADER_CIPHER_ID_AT = 1536; // 16 bytes, the first of the SHA-256 of the recipient's public key
export const HEADER_CIPHER_ATTEMPT_AT = 1552; // u32, a part of each nonce
export const HEADER_POISONED_PAGES_AT = 1556; // u32, pages missing in chunks that are in the image

/**
 * A chunk is encrypted after compression, with AEAD_CHACHA20_POLY1305 ([RFC 8439] 2.8), the tag behind it. Nonce: chunk,
 * boot epoch, attempt, u32 each; additional data: the first two words of its entry in the chunk table, system, boot
 * epoch, u32 each. The key is HKDF-SHA256 ([RFC 5869]) of the X25519 secret that both key pairs share ([RFC 7748]), with
 * both public keys, the board's first, as salt and CIPHER_INFO as info.
 *
 * Checksums of encrypted chunks are of what is stored, so that they tell nothing of the memory, and whoever has no key
 * can check a disk or a container all the same; CIPHER_X25519 in a header, of before, has those of the chunks. In the
 * clear stays how many bytes each chunk takes and which ones are zero: to hide it every chunk would have to be stored in
 * full, and a dump would need the room and the time of all of the memory, which a panic does not have.
 */
export const CIPHER_NONE = 0;
export const CIPHER_X25519 = 1; // in the NVRAM: to a public key of this kind
export const CIPHER_X25519_STORED = 2; // in a header: like that, with checksums of what is stored
export const CIPHER_INFO_BYTES = 16; // "sparecore dump 1"
export const CIPHER_TAG_BYTES = 16;

/** The coredump attribute. The last three are the non-coredump states. */
export const ATTRIBUTE_DUMPING = 1;
export const ATTRIBUTE_INACTIVE = 2;
export const ATTRIBUTE_COMPLETED = 3;
export const ATTRIBUTE_ABORTED = 4;

/** What became of the dump after its end. */
export const SAVED_NOT = 0;
export const SAVED_DONE = 1; // the core file is made, and was read back
export const SAVED_REFUSED = 2; // all tries failed: nobody tries again

export const ABORT_NONE = 0;
export const ABORT_LIMIT = 1;
export const ABORT_MEDIUM = 2;
export const ABORT_NO_ROOM = 3;
export const ABORT_PARTNER = 4;
export const ABORT_FENCED = 5;

export const CHUNK_BYTES = 65536;
/** What an uncorrectable memory error costs: a page of a chunk, and no more. */
export const PAGE_BYTES = 4096;
export const CHUNK_PAGES = 16;
export const CHUNK_POISONED = 0xffff; // a mask of pages, bit n for page n, with all of a chunk in it
/** Chunk table: blocks of 4 KiB, each with its own checksum, written after the chunks that it lists. */
export const TABLE_MAGIC = 0x54444353; // "SCDT"
export const TABLE_BYTES = 4096;
export const TABLE_BLOCKS = 8;
export const TABLE_MAGIC_AT = 0; // u32
export const TABLE_CRC_AT = 4; // u32
export const TABLE_INDEX_AT = 8; // u32
export const TABLE_SYSTEM_AT = 12; // u32
export const TABLE_EPOCH_AT = 16; // u32
export const TABLE_COUNT_AT = 20; // u32, entries used
export const TABLE_ENTRIES_AT = 32;
/**
 * chunk u16, its poisoned pages u16, codec << 24 | stored bytes u32, block offset in image u32, CRC32C u32 of the chunk
 * as in memory, or of what is stored if it is encrypted. A poisoned page was never read: in what is stored, and to the checksum, it is zeros, and a reader takes
 * it for missing, MISSING_POISONED. A chunk without one good page is CODEC_LOST. Of a chunk that is CODEC_LOST the third
 * word says why: 0 tried and not written, or MISSING_POISONED.
 *
 * Version: chunks of 64 KiB of a memory of 4 GiB have 16 bits, so these entries are those of before where no page is
 * poisoned; a reader of before takes one with a mask for a chunk outside the memory, and never zeros for memory.
 */
export const TABLE_ENTRY_BYTES = 16;
export const TABLE_ENTRIES = 254;
export const CODEC_LOST = 0;
export const CODEC_ZERO = 1;
export const CODEC_RAW = 2;
export const CODEC_LZ4 = 3;
export const CODEC_SEALED = 0x10; // beside CODEC_RAW or CODEC_LZ4: encrypted, CIPHER_TAG_BYTES longer
/** A chunk map has a byte a chunk: its CODEC_*, or why it is not in the core (CODEC_LOST: tried and not written). */
export const MISSING_UNREACHED = 0x80; // no whole block of the table lists it: the dump did not get there
export const MISSING_CORRUPT = 0x81; // read, and its checksum is wrong
export const MISSING_UNREADABLE = 0x82; // the dump disk would not give it back
export const MISSING_POISONED = 0x83; // uncorrectable in RAM already
export const MISSING_SECRET = 0x84; // kept out of the dump on purpose
export const MISSING_SEALED = 0x85; // encrypted, and the reader has no key

/**
 * Container of an encrypted dump, "core.*.enc", which a saver without the private key makes: an image like that on a
 * disk, without gaps. Block 0 has the header, whose pointers count from the file's start; at block COPY_BLOCKS begins
 * the chunk table, right behind it the image.
 */
export const CONTAINER_TABLE_LBA = COPY_BLOCKS;

/** Mailbox disk: one slot a board at the start of its data region. */
export const MAIL_MAGIC = 0x424d4353; // "SCMB"
export const MAIL_BLOCKS = 8;
export const MAIL_BYTES = 512;
export const MAIL_MAGIC_AT = 0; // u32
export const MAIL_CRC_AT = 4; // u32
export const MAIL_SYSTEM_AT = 8; // u32
export const MAIL_EPOCH_AT = 12; // u32
export const MAIL_BEAT_AT = 16; // u32
export const MAIL_STATE_AT = 20; // u32, BOARD_*
export const MAIL_WWN_AT = 24; // u64, coredump disk of a panicking board, 0: no dump

/** Why a board entered its panic handler. */
export const PANIC_NONE = 0;
export const PANIC_TRAP = 1; // wasm trap
export const PANIC_ASSERT = 2;
export const PANIC_WATCHDOG = 3;
export const PANIC_MEMORY = 4; // uncorrectable memory error
export const PANIC_OPERATOR = 5; // NMI button

/**
 * Core file, notes of our own: name "sparecore", [gABI] 5 "Note Section". Types far from those of the processors
 * (0x100 to 0xaff), because readelf names those whoever the owner is.
 */
export const NOTE_PANIC = 0x53430100;
export const NOTE_LOG = 0x53430101;
export const NOTE_COVERAGE = 0x53430102;
export const NOTE_TRACE = 0x53430103;
export const NOTE_SCRUBBED = 0x53430104; // as at HEADER_SCRUB_AT, one after the other
/** NOTE_PANIC is the panic record and NOTE_LOG, NOTE_TRACE the rings, as they lay in memory. NOTE_COVERAGE: */
export const COVERAGE_VERSION = 1;
export const COVERAGE_VERSION_AT = 0; // u32
export const COVERAGE_CHUNK_BYTES_AT = 4; // u32
export const COVERAGE_CHUNKS_AT = 8; // u32, of the whole memory
export const COVERAGE_STORED_AT = 12; // u32, chunks
export const COVERAGE_ZERO_AT = 16; // u32, chunks
export const COVERAGE_MISSING_AT = 20; // u32, chunks
export const COVERAGE_RANGES_AT = 24; // u32, how many follow
export const COVERAGE_ATTRIBUTE_AT = 28; // u32, ATTRIBUTE_* of the dump
export const COVERAGE_ABORT_AT = 32; // u32, ABORT_*
/**
 * RANGE_BYTES each: first chunk u32, chunks u32, CODEC_LOST or MISSING_* u32, pages u32. Pages of 0: all of these chunks
 * is missing. Else it is one chunk, counted as stored or zero, in which only these pages are missing, bit n for page n.
 */
export const COVERAGE_RANGE_AT = 48;
export const RANGE_BYTES = 16;
