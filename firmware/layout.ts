/**
 * The memory map of a board, the words of its NVRAM, the messages between boards and the events of its trace.
 * Integers only: the AssemblyScript compiler and Node both read this file as it is. Each address is the previous one
 * plus its size; everything that lasts has an address here, because only what lies in RAM is in the dump.
 */

// ------------------------------------------------------------------------------------------------ memory map
export const STATIC_AT: u32 = 0x1000; // static data that asc places; "memoryBase" in asconfig.json
export const CORE_AT: u32 = 0x40000; // firmware state, struct Core
export const CORE_BYTES: u32 = 0x1000;
export const RECORD_AT: u32 = CORE_AT + CORE_BYTES; // panic record
export const RECORD_BYTES: u32 = 0x1000;
export const DISKS_AT: u32 = RECORD_AT + RECORD_BYTES; // struct Disk each
export const DISK_BYTES: u32 = 256;
export const DISK_MAX: u32 = 64;
export const VOLUMES_AT: u32 = DISKS_AT + DISK_BYTES * DISK_MAX; // struct Volume each
export const VOLUME_BYTES: u32 = 64;
export const VOLUME_MAX: u32 = 64;
export const COMMANDS_AT: u32 = VOLUMES_AT + VOLUME_BYTES * VOLUME_MAX; // struct Command each
export const COMMAND_BYTES: u32 = 128;
export const COMMAND_MAX: u32 = 256;
export const SQ_AT: u32 = COMMANDS_AT + COMMAND_BYTES * COMMAND_MAX; // submission ring
export const CQ_AT: u32 = SQ_AT + 64 * COMMAND_MAX; // completion ring
export const REQUESTS_AT: u32 = CQ_AT + 64 * COMMAND_MAX; // front-end port ring
export const REQUEST_MAX: u32 = 256;
export const MESSAGE_AT: u32 = REQUESTS_AT + 64 * REQUEST_MAX; // one message in, one out
export const MESSAGE_ROOM: u32 = 256;
export const KEYS_AT: u32 = 0x6f000; // keys of this life: secret, no dump has them
export const KEYS_BYTES: u32 = 0x1000;
export const LOG_AT: u32 = 0x70000; // log ring: u32 bytes ever written, then text
export const LOG_BYTES: u32 = 0x10000;
export const TRACE_AT: u32 = LOG_AT + LOG_BYTES; // trace ring: u32 events ever written, then 24 bytes each
export const TRACE_BYTES: u32 = 0x10000;
export const SCRATCH_AT: u32 = TRACE_AT + TRACE_BYTES; // one buffer a disk: labels, headers, parameter data
export const SCRATCH_BYTES: u32 = 0x4000;
export const SAVE_AT: u32 = 0x190000; // savecore: state, chunk map, offsets, checksums, directory, bitmap, buffers
export const SAVE_BYTES: u32 = 0x360000;
export const LABEL_BUFFER_AT: u32 = 0x4f0000; // label copies while their holder is brought up to date
export const LABEL_BUFFER_BYTES: u32 = 0x10000;
export const WORK_AT: u32 = 0x500000; // panic handler's own work area: zero until a panic, so it dumps as zero
export const WORK_BYTES: u32 = 0x250000;
export const CACHE_AT: u32 = WORK_AT + WORK_BYTES; // cache entries, then the cache itself up to the end
export const CACHE_LINE_BYTES: u32 = 65536;
export const CACHE_ENTRY_BYTES: u32 = 32;

/**
 * Of the work area, what two CPUs share while a dump runs: struct Jobs, struct Ahead, which is the first CPU's alone, and
 * struct Job each. Each begins a line of the CPUs' caches.
 */
export const JOBS_AT: u32 = WORK_AT + 0x8000;
export const AHEAD_AT: u32 = JOBS_AT + 0x80;
export const JOBS_HEAD_BYTES: u32 = 0x100;
export const JOB_BYTES: u32 = 64; // its first word is JOB_*
export const JOBS_MAX: u32 = 64;
export const JOB_FREE: u32 = 0;
/** No word of a memory that firmware has overrun is likely to be this one. */
export const JOB_POSTED: u32 = 0x4a4f4231;
export const JOB_CLAIMED: u32 = 0x4a4f4232;
export const JOB_DONE: u32 = 0x4a4f4233;
export const JOB_OWN: u32 = 0x4a4f4234; // the first CPU alone may touch the chunk

/** Panic record, an epitaph at a known address. */
export const RECORD_MAGIC: u32 = 0x52504353; // "SCPR"
export const RECORD_MAGIC_AT: u32 = 0; // u32
export const RECORD_REASON_AT: u32 = 4; // u32, PANIC_*
export const RECORD_TIME_AT: u32 = 8; // u64, board time, us
export const RECORD_PC_AT: u32 = 16; // u32, offset in the code; 0: not known
export const RECORD_ADDRESS_AT: u32 = 20; // u32, of a memory error
export const RECORD_LINE_AT: u32 = 24; // u32
export const RECORD_COLUMN_AT: u32 = 28; // u32
export const RECORD_EPOCH_AT: u32 = 32; // u32
export const RECORD_SYSTEM_AT: u32 = 36; // u32
export const RECORD_UTC_AT: u32 = 40; // u32, seconds
export const RECORD_PHASE_AT: u32 = 44; // u32, PHASE_* that the loop was in
export const RECORD_MEMORY_AT: u32 = 48; // u64, bytes
export const RECORD_BUILD_AT: u32 = 64; // 32 bytes, build id
export const RECORD_PLACE_AT: u32 = 128; // 256 bytes, "file:line:column", UTF-8, from the board's symbol table
export const RECORD_PLACE_BYTES: u32 = 256;
export const RECORD_TEXT_AT: u32 = 384; // 256 bytes, message of a failed assert
export const RECORD_TEXT_BYTES: u32 = 256;
/** What a board whose CPU is no wasm machine adds of its own: boards/native. */
export const RECORD_MACHINE_AT: u32 = 640; // u32, EM_* of the CPU that the following is of; 0: none
export const RECORD_RAM_AT: u32 = 644; // u32, where that CPU has board RAM
export const RECORD_REGISTERS_AT: u32 = 648; // 68 bytes, r0 to r15 and xpsr, u32 each
export const RECORD_STACK_BYTES_AT: u32 = 716; // u32, of the stack from the stack pointer on
export const RECORD_STACK_AT: u32 = 720; // 3376 bytes, these
export const RECORD_STACK_ROOM: u32 = RECORD_BYTES - RECORD_STACK_AT;

// ---------------------------------------------------------------------------------------------------- NVRAM
export const NV_BYTES: u32 = 4096; // words of 32 bits at these byte offsets
export const NV_SYSTEM: u32 = 0; // system id of this board
export const NV_PARTNER: u32 = 4; // and of its partner
export const NV_EPOCH: u32 = 8; // boot epoch, counted up at every boot
export const NV_INDEX: u32 = 12; // 0 or 1: slot in the chassis and on the mailbox disk
export const NV_HEARTBEAT_MS: u32 = 16;
export const NV_HEARTBEAT_LOSS_MS: u32 = 20;
export const NV_LIMIT_MS: u32 = 24; // of the dump, counted from the failure
export const NV_WATCHDOG_MS: u32 = 28;
export const NV_POLICY: u32 = 32; // 0 parallel takeover, 1 sequential
export const NV_GIVEBACK_MS: u32 = 36; // delay of the automatic giveback; NV_NEVER: by the operator only
export const NV_REBOOT: u32 = 40; // 1: reboot after a panic, 0: halt
export const NV_ROOM_PERCENT: u32 = 44; // of RAM that a coredump disk must hold
export const NV_FLOOR_MIB: u32 = 48; // free space savecore leaves on the root volume
export const NV_SAVE_SHARE: u32 = 52; // percent of time savecore may use a disk
export const NV_CODEC: u32 = 56; // CODEC_LZ4: a dump's chunks are compressed where that saves a block; else 0
export const NV_OVERWRITE: u32 = 60; // 1: a dump may go over an older core that nobody has saved
export const NV_STOP_MS: u32 = 64; // so long the partner's answer to "stop your dump" is waited for
export const NV_CIPHER: u32 = 68; // CIPHER_*: dumps are encrypted to the public key that follows
export const NV_DUMP_KEY: u32 = 72; // 8 words, X25519
export const NV_CPUS: u32 = 104; // 2: a second CPU helps with the dump
export const NV_NEVER: u32 = 0x7fffffff;

// ------------------------------------------------------------------------------------- messages between boards
export const MSG_MAGIC: u32 = 0x4d534353; // "SCSM"
export const MSG_VERSION: u32 = 1;
export const MSG_BYTES: u32 = 96;
export const MSG_MAGIC_AT: u32 = 0; // u32
export const MSG_VERSION_AT: u32 = 4; // u16
export const MSG_BYTES_AT: u32 = 6; // u16
export const MSG_CRC_AT: u32 = 8; // u32, CRC32C with this field 0
export const MSG_KIND_AT: u32 = 12; // u32, MSG_HEARTBEAT ...
export const MSG_SYSTEM_AT: u32 = 16; // u32
export const MSG_EPOCH_AT: u32 = 20; // u32
export const MSG_SEQUENCE_AT: u32 = 24; // u32
export const MSG_STATE_AT: u32 = 28; // u32, BOARD_*
export const MSG_WWN_AT: u32 = 32; // u64, the disk it is about
export const MSG_ELAPSED_US_AT: u32 = 40; // u32, since the failure
export const MSG_LIMIT_MS_AT: u32 = 44; // u32
export const MSG_REASON_AT: u32 = 48; // u32
export const MSG_HEARTBEAT: u32 = 1;
export const MSG_PANIC: u32 = 2; // "I panicked; I dump to the disk of this WWN (0: no dump)"
export const MSG_DUMP_ENDED: u32 = 3;
export const MSG_LEND: u32 = 4; // "my spare failed; let me have this one"
export const MSG_LENT: u32 = 5;
export const MSG_GIVEN: u32 = 6; // "this disk is yours again" (giveback)
export const MSG_TAKEN: u32 = 7; // "I have it"
export const MSG_STOP: u32 = 8; // "stop your dump to the disk of this WWN"; MSG_DUMP_ENDED is the answer

/** What a board is doing, in heartbeats and in its mailbox slot. */
export const BOARD_OFF: u32 = 0;
export const BOARD_BOOTING: u32 = 1;
export const BOARD_NORMAL: u32 = 2;
export const BOARD_TAKING: u32 = 3; // takeover begun
export const BOARD_TAKEN: u32 = 4; // holds the partner's disks
export const BOARD_WAITING: u32 = 5; // booted, waits for giveback
export const BOARD_PANIC: u32 = 6;
export const BOARD_FENCED: u32 = 7;

/** What the loop is doing; the panic record tells it. */
export const PHASE_BOOT: u32 = 1;
export const PHASE_REAP: u32 = 2;
export const PHASE_LISTEN: u32 = 3;
export const PHASE_SERVE: u32 = 4;
export const PHASE_HEARTBEAT: u32 = 5;
export const PHASE_TAKEOVER: u32 = 6;
export const PHASE_SAVE: u32 = 7;
export const PHASE_GIVEBACK: u32 = 8;
export const PHASE_CONSOLE: u32 = 9;

/** Modelled work, for `timer.work(kind, amount)`. */
export const WORK_COMMAND: u32 = 1; // commands built or completed
export const WORK_SCAN: u32 = 2; // bytes looked at for zeros
export const WORK_CRC: u32 = 3; // bytes checksummed
export const WORK_COPY: u32 = 4; // bytes copied by the CPU
export const WORK_COMPRESS: u32 = 5; // bytes compressed
export const WORK_CIPHER: u32 = 6; // bytes encrypted
export const WORK_CURVE: u32 = 7; // points multiplied

// ------------------------------------------------------------------------------------------------ trace events
// `trace.event(code, a, b, c)`: what each carries stands beside it.
export const EV_BOOT: u32 = 1; // epoch
export const EV_DISCOVERED: u32 = 2; // disk, role, owner is me
export const EV_READY: u32 = 3; // disks owned
export const EV_STATE: u32 = 4; // BOARD_*
export const EV_ELECTED: u32 = 5; // disk, 1: an older core there is not touched yet, 1 a part 2 what is in use 3 all
export const EV_NO_SPARE: u32 = 6;
export const EV_SERVE: u32 = 7; // volume, disk
export const EV_UNSERVE: u32 = 8; // volume, disk
export const EV_RESERVED: u32 = 9; // disk
export const EV_PANIC: u32 = 10; // reason, phase
export const EV_FROZEN: u32 = 11; // memory as the dump must show it, from here on
export const EV_DUMP_BEGIN: u32 = 12; // disk
export const EV_DUMP_PROGRESS: u32 = 13; // disk, chunks done
export const EV_DUMP_END: u32 = 14; // disk, ATTRIBUTE_*, ABORT_*
export const EV_DUMP_NONE: u32 = 15;
export const EV_DUMP_ERROR: u32 = 16; // disk
export const EV_LOST: u32 = 17; // 1 message, 2 heartbeats: how the partner's failure was seen
export const EV_TAKEOVER_BEGIN: u32 = 18; // partner's epoch
export const EV_ARBITRATED: u32 = 19; // 1 won, 0 lost
export const EV_ATTRIBUTE: u32 = 20; // disk, attribute read, leave
export const EV_TAKEN: u32 = 21; // disk, REASON_*
export const EV_TAKE_FAILED: u32 = 22; // disk, cause
export const EV_SERVICE: u32 = 23; // all of the partner's volumes are served
export const EV_TAKEOVER_END: u32 = 24;
export const EV_TAKEOVER_CANCELLED: u32 = 25;
export const EV_SAVE_BEGIN: u32 = 26; // disk, chunks
export const EV_SAVE_END: u32 = 27; // 1: done, first block lo of the file, bytes lo; 0: not done, SAVE_* cause
export const EV_GIVEBACK_BEGIN: u32 = 28;
export const EV_GIVEN: u32 = 29; // disk
export const EV_GIVEBACK_END: u32 = 30;
export const EV_FENCED: u32 = 31; // disk
export const EV_PATH: u32 = 32; // disk, path now used
export const EV_MESSAGE_BAD: u32 = 33;
export const EV_LENT: u32 = 34; // disk
export const EV_WAITING: u32 = 35; // for giveback
export const EV_RETURNED: u32 = 36; // disk, after giveback
export const EV_UNIT_ATTENTION: u32 = 37; // disk, ASC << 8 | ASCQ
export const EV_STALE: u32 = 38; // disk, stale reservation replaced
export const EV_HALT: u32 = 39; // 0 halt 1 reboot
export const EV_PATH_BACK: u32 = 41; // disk, path
export const EV_LEFT_OUT: u32 = 42; // chunk, MISSING_*: not in the dump, on purpose
export const EV_SCRUBBED: u32 = 43; // regions, bytes: secrets that are zero from here on
export const EV_STOP: u32 = 44; // disk, 1 asked, 2 heard by the board that dumps, 3 no answer within the bound
export const EV_SAVE_TRY: u32 = 45; // disk, number of the try
export const EV_SAVE_REPAIR: u32 = 46; // first cluster, clusters, 1: a core that was not marked as saved
export const EV_POLICY_WAIT: u32 = 40; // sequential policy: takeover waits for the dump

export const REASON_INACTIVE: u32 = 1;
export const REASON_COMPLETED: u32 = 2;
export const REASON_ABORTED: u32 = 3;
export const REASON_LIMIT: u32 = 4;

/** Why savecore made no core file. */
export const SAVE_BUSY: u32 = 1; // no free command
export const SAVE_DISK: u32 = 2; // a disk failed
export const SAVE_DUMP: u32 = 3; // nothing there that could be saved
export const SAVE_VOLUME: u32 = 4; // the root disk holds no volume of ours
export const SAVE_ROOM: u32 = 5; // less free space than the file needs, and the floor
export const SAVE_BACK: u32 = 6; // what was read back is not what was written
export const SAVE_OFTEN: u32 = 7; // every try failed: no other one
