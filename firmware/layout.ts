/**
 * The memory map of a board, the words of its NVRAM, the messages between boards and the events of its trace.
 * Integers only: the AssemblyScript compiler and Node both read this file as it is. Each address is the previous one
 * plus its size; everything that lasts has an address here, because only what lies in RAM is in the dump.
 */

// ------------------------------------------------------------------------------------------------ memory map
export const STATIC_AT = 0x1000; // static data that asc places; "memoryBase" in asconfig.json
export const CORE_AT = 0x40000; // firmware state, struct Core
export const CORE_BYTES = 0x1000;
export const RECORD_AT = CORE_AT + CORE_BYTES; // panic record
export const RECORD_BYTES = 0x1000;
export const DISKS_AT = RECORD_AT + RECORD_BYTES; // struct Disk each
export const DISK_BYTES = 256;
export const DISK_MAX = 64;
export const VOLUMES_AT = DISKS_AT + DISK_BYTES * DISK_MAX; // struct Volume each
export const VOLUME_BYTES = 64;
export const VOLUME_MAX = 64;
export const COMMANDS_AT = VOLUMES_AT + VOLUME_BYTES * VOLUME_MAX; // struct Command each
export const COMMAND_BYTES = 128;
export const COMMAND_MAX = 256;
export const SQ_AT = COMMANDS_AT + COMMAND_BYTES * COMMAND_MAX; // submission ring
export const CQ_AT = SQ_AT + 64 * COMMAND_MAX; // completion ring
export const REQUESTS_AT = CQ_AT + 64 * COMMAND_MAX; // front-end port ring
export const REQUEST_MAX = 256;
export const MESSAGE_AT = REQUESTS_AT + 64 * REQUEST_MAX; // one message in, one out
export const MESSAGE_ROOM = 256;
export const LOG_AT = 0x70000; // log ring: u32 bytes ever written, then text
export const LOG_BYTES = 0x10000;
export const TRACE_AT = LOG_AT + LOG_BYTES; // trace ring: u32 events ever written, then 24 bytes each
export const TRACE_BYTES = 0x10000;
export const SCRATCH_AT = TRACE_AT + TRACE_BYTES; // one buffer a disk: labels, headers, parameter data
export const SCRATCH_BYTES = 0x4000;
export const SAVE_AT = 0x190000; // savecore: state, chunk map, offsets, checksums, directory, bitmap, buffers
export const SAVE_BYTES = 0x270000;
export const WORK_AT = 0x400000; // panic handler's own work area: zero until a panic, so it dumps as zero
export const WORK_BYTES = 0x40000;
export const CACHE_AT = WORK_AT + WORK_BYTES; // cache entries, then the cache itself up to the end
export const CACHE_LINE_BYTES = 65536;
export const CACHE_ENTRY_BYTES = 32;

/** Panic record, an epitaph at a known address. */
export const RECORD_MAGIC = 0x52504353; // "SCPR"
export const RECORD_MAGIC_AT = 0; // u32
export const RECORD_REASON_AT = 4; // u32, PANIC_*
export const RECORD_TIME_AT = 8; // u64, board time, us
export const RECORD_PC_AT = 16; // u32, offset in the code; 0: not known
export const RECORD_ADDRESS_AT = 20; // u32, of a memory error
export const RECORD_LINE_AT = 24; // u32
export const RECORD_COLUMN_AT = 28; // u32
export const RECORD_EPOCH_AT = 32; // u32
export const RECORD_SYSTEM_AT = 36; // u32
export const RECORD_UTC_AT = 40; // u32, seconds
export const RECORD_PHASE_AT = 44; // u32, PHASE_* that the loop was in
export const RECORD_MEMORY_AT = 48; // u64, bytes
export const RECORD_BUILD_AT = 64; // 32 bytes, build id
export const RECORD_PLACE_AT = 128; // 256 bytes, "file:line:column", UTF-8, from the board's symbol table
export const RECORD_PLACE_BYTES = 256;
export const RECORD_TEXT_AT = 384; // 256 bytes, message of a failed assert
export const RECORD_TEXT_BYTES = 256;

// ---------------------------------------------------------------------------------------------------- NVRAM
export const NV_BYTES = 4096; // words of 32 bits at these byte offsets
export const NV_SYSTEM = 0; // system id of this board
export const NV_PARTNER = 4; // and of its partner
export const NV_EPOCH = 8; // boot epoch, counted up at every boot
export const NV_INDEX = 12; // 0 or 1: slot in the chassis and on the mailbox disk
export const NV_HEARTBEAT_MS = 16;
export const NV_HEARTBEAT_LOSS_MS = 20;
export const NV_LIMIT_MS = 24; // of the dump, counted from the failure
export const NV_WATCHDOG_MS = 28;
export const NV_POLICY = 32; // 0 parallel takeover, 1 sequential
export const NV_GIVEBACK_MS = 36; // delay of the automatic giveback; NV_NEVER: by the operator only
export const NV_REBOOT = 40; // 1: reboot after a panic, 0: halt
export const NV_ROOM_PERCENT = 44; // of RAM that a coredump disk must hold
export const NV_FLOOR_MIB = 48; // free space savecore leaves on the root volume
export const NV_SAVE_SHARE = 52; // percent of time savecore may use a disk
export const NV_NEVER = 0x7fffffff;

// ------------------------------------------------------------------------------------- messages between boards
export const MSG_MAGIC = 0x4d534353; // "SCSM"
export const MSG_VERSION = 1;
export const MSG_BYTES = 96;
export const MSG_MAGIC_AT = 0; // u32
export const MSG_VERSION_AT = 4; // u16
export const MSG_BYTES_AT = 6; // u16
export const MSG_CRC_AT = 8; // u32, CRC32C with this field 0
export const MSG_KIND_AT = 12; // u32, MSG_HEARTBEAT ...
export const MSG_SYSTEM_AT = 16; // u32
export const MSG_EPOCH_AT = 20; // u32
export const MSG_SEQUENCE_AT = 24; // u32
export const MSG_STATE_AT = 28; // u32, BOARD_*
export const MSG_WWN_AT = 32; // u64, the disk it is about
export const MSG_ELAPSED_US_AT = 40; // u32, since the failure
export const MSG_LIMIT_MS_AT = 44; // u32
export const MSG_REASON_AT = 48; // u32
export const MSG_HEARTBEAT = 1;
export const MSG_PANIC = 2; // "I panicked; I dump to the disk of this WWN (0: no dump)"
export const MSG_DUMP_ENDED = 3;
export const MSG_LEND = 4; // "my spare failed; let me have this one"
export const MSG_LENT = 5;
export const MSG_GIVEN = 6; // "this disk is yours again" (giveback)
export const MSG_TAKEN = 7; // "I have it"

/** What a board is doing, in heartbeats and in its mailbox slot. */
export const BOARD_OFF = 0;
export const BOARD_BOOTING = 1;
export const BOARD_NORMAL = 2;
export const BOARD_TAKING = 3; // takeover begun
export const BOARD_TAKEN = 4; // holds the partner's disks
export const BOARD_WAITING = 5; // booted, waits for giveback
export const BOARD_PANIC = 6;
export const BOARD_FENCED = 7;

/** What the loop is doing; the panic record tells it. */
export const PHASE_BOOT = 1;
export const PHASE_REAP = 2;
export const PHASE_LISTEN = 3;
export const PHASE_SERVE = 4;
export const PHASE_HEARTBEAT = 5;
export const PHASE_TAKEOVER = 6;
export const PHASE_SAVE = 7;
export const PHASE_GIVEBACK = 8;
export const PHASE_CONSOLE = 9;

/** Modelled work, for `timer.work(kind, amount)`. */
export const WORK_COMMAND = 1; // commands built or completed
export const WORK_SCAN = 2; // bytes looked at for zeros
export const WORK_CRC = 3; // bytes checksummed
export const WORK_COPY = 4; // bytes copied by the CPU

// ------------------------------------------------------------------------------------------------ trace events
// `trace.event(code, a, b, c)`: what each carries stands beside it.
export const EV_BOOT = 1; // epoch
export const EV_DISCOVERED = 2; // disk, role, owner is me
export const EV_READY = 3; // disks owned
export const EV_STATE = 4; // BOARD_*
export const EV_ELECTED = 5; // disk
export const EV_NO_SPARE = 6;
export const EV_SERVE = 7; // volume, disk
export const EV_UNSERVE = 8; // volume, disk
export const EV_RESERVED = 9; // disk
export const EV_PANIC = 10; // reason, phase
export const EV_FROZEN = 11; // memory as the dump must show it, from here on
export const EV_DUMP_BEGIN = 12; // disk
export const EV_DUMP_PROGRESS = 13; // disk, chunks done
export const EV_DUMP_END = 14; // disk, ATTRIBUTE_*, ABORT_*
export const EV_DUMP_NONE = 15;
export const EV_DUMP_ERROR = 16; // disk
export const EV_LOST = 17; // 1 message, 2 heartbeats: how the partner's failure was seen
export const EV_TAKEOVER_BEGIN = 18; // partner's epoch
export const EV_ARBITRATED = 19; // 1 won, 0 lost
export const EV_ATTRIBUTE = 20; // disk, attribute read, leave
export const EV_TAKEN = 21; // disk, REASON_*
export const EV_TAKE_FAILED = 22; // disk, cause
export const EV_SERVICE = 23; // all of the partner's volumes are served
export const EV_TAKEOVER_END = 24;
export const EV_TAKEOVER_CANCELLED = 25;
export const EV_SAVE_BEGIN = 26; // disk, chunks
export const EV_SAVE_END = 27; // 1 done 0 refused, first block lo of the file, bytes lo
export const EV_GIVEBACK_BEGIN = 28;
export const EV_GIVEN = 29; // disk
export const EV_GIVEBACK_END = 30;
export const EV_FENCED = 31; // disk
export const EV_PATH = 32; // disk, path now used
export const EV_MESSAGE_BAD = 33;
export const EV_LENT = 34; // disk
export const EV_WAITING = 35; // for giveback
export const EV_RETURNED = 36; // disk, after giveback
export const EV_UNIT_ATTENTION = 37; // disk, ASC << 8 | ASCQ
export const EV_STALE = 38; // disk, stale reservation replaced
export const EV_HALT = 39; // 0 halt 1 reboot
export const EV_POLICY_WAIT = 40; // sequential policy: takeover waits for the dump

export const REASON_INACTIVE = 1;
export const REASON_COMPLETED = 2;
export const REASON_ABORTED = 3;
export const REASON_LIMIT = 4;
