export interface InstantiateOptions {
  /** The memory to work in; it must have a maximum of at most 65536 pages. By default a new one of 16 pages. */
  memory?: WebAssembly.Memory;
}

/**
 * An instance: the memory it works in, and the functions that it exports. Addresses are of that memory, in bytes;
 * lengths are bytes where their names say no other unit, an LBA and blocks count logical blocks. A truth value comes
 * back as 1 or 0. As in all of WebAssembly, 32-bit results are signed numbers (`>>> 0` makes them unsigned) and 64-bit
 * ones signed bigints (BigInt.asUintN). Names in capitals that are not here are constants of the layout.
 */
export interface DiskIo {
  readonly memory: WebAssembly.Memory;

  // Memory

  /**
   * First free address behind the tables of the module, aligned to 16: the host places all that it gives from
   * here on.
   */
  heap_base(): number;

  // Device server: the functions of a logical unit take the address of its block

  /** Bytes of a logical unit's block. Align it to 8. */
  lu_size(): number;
  /** Makes a logical unit of the LU_CONFIG_BYTES at `config`, powered on. LU_OK or LU_BAD_*. */
  lu_create(lu: number, config: number): number;
  /** Power comes (again): 29/01 for all nexuses, registrations as the non-volatile image has them. */
  lu_power_on(lu: number): void;
  /** RESET_*: 29/03, 29/02 or 29/04 for all nexuses; registrations stay. The host ends all tasks. */
  lu_reset(lu: number, kind: number): void;
  /** COMMAND_* of a CDB, whatever it asks for; 0: this logical unit has no such command. */
  lu_command(lu: number, cdb: number): number;
  /**
   * Name of relative target port 1 or 2 to iSCSI initiators: the target's iSCSI name, with ",t,0xTAG" behind
   * it unless the portal group tag is the number of the port. 1, or 0 for what is no such name. It is kept
   * until it is replaced.
   */
  lu_target_name(lu: number, port: number, name: number, bytes: number): number;
  /** What REPORT LUNS lists to iSCSI initiators: `count` LUNs of LUN_BYTES. 1, or 0: more than LUN_MAX. */
  lu_set_luns(lu: number, luns: number, count: number): number;
  /** A command to a LUN that is none of the `count` LUNs of the target; returns ACTION_NONE. */
  no_lu_execute(luns: number, count: number, task: number): number;
  /** LU_CONTROL_*, for the keeper of the task set. */
  lu_control(lu: number): number;
  /** One command; returns TASK_ACTION. */
  lu_execute(lu: number, task: number): number;
  /** The medium failed under the action of lu_execute: MEDIUM_*, at this LBA. Sets status and sense data. */
  lu_medium_error(lu: number, task: number, kind: number, lbaLo: number, lbaHi: number): void;
  /** ACTION_COPY, the last that lu_execute asked for, is done. That it failed says lu_medium_error, with MEDIUM_COPY_*. */
  lu_copied(lu: number): void;
  /** ACTION_COPY, the last that lu_execute asked for, was aborted. */
  lu_copy_aborted(lu: number): void;
  /** 1: the initiator behind `nexus` of `lu` may now read the logical unit `other`, or write to it, as a copy does. */
  lu_copy_allowed(lu: number, nexus: number, other: number, writes: number): number;
  /**
   * How far the sanitize operation of ACTION_SANITIZE is: 0 to SANITIZE_PROGRESS_MAX, SANITIZE_DONE, SANITIZE_FAILED.
   * 1: the non-volatile image has changed, make it durable.
   */
  lu_sanitize(lu: number, progress: number): number;
  /**
   * After lu_nv_load: a sanitize operation that power loss interrupted must be resumed. Its pattern, at most
   * SANITIZE_PATTERN_MAX bytes, goes to `out`; returns how many, 0: it erases. SANITIZE_NONE: there is none.
   */
  lu_sanitize_pattern(lu: number, out: number): number;
  /** TMF_* from `nexus`; returns TMF_COMPLETE with TASK_ABORT set in the task block, or TMF_NOT_SUPPORTED. */
  lu_task_management(lu: number, nexus: number, management: number, task: number): number;
  /**
   * Sense code (key << 16 | ASC << 8 | ASCQ) of the unit attention that the nexus would be told next; 0:
   * none.
   */
  lu_attention(lu: number, nexus: number): number;
  /** LU_RESERVATION_BYTES at `out`; returns 1 if there is a persistent reservation. */
  lu_reservation(lu: number, out: number): number;
  /** LU_REGISTRATION_BYTES each at `out`, as far as `room` bytes hold; returns how many there are. */
  lu_registrations(lu: number, out: number, room: number): number;
  /** Bytes of the non-volatile image. */
  lu_nv_bytes(): number;
  /**
   * Address of the non-volatile image: two slots of lu_nv_bytes() / 2. Make it durable when TASK_NV_CHANGED
   * says so.
   */
  lu_nv_ptr(lu: number): number;
  /** The slot, 0 or 1, that was written last: only it need be made durable. */
  lu_nv_slot(lu: number): number;
  /**
   * Takes what the host put into the slots. 1: there was a valid image; 0: none, and no registration is left.
   */
  lu_nv_load(lu: number): number;
  /**
   * Nexus `nexus` is the initiator port of this TransportID on relative target port 1 or 2. LOGIN_OK or
   * LOGIN_BAD_*.
   */
  nexus_login(lu: number, nexus: number, id: number, idBytes: number, relativeTargetPort: number): number;
  /** Nexus `nexus` is gone, with its unit attentions; its registration stays. */
  nexus_logout(lu: number, nexus: number): void;

  // Medium data: what a host does with the blocks of an action

  /** Offset of the first of `bytes` bytes at `one` and `other` that differs; `bytes` when none does. */
  first_difference(one: number, other: number, bytes: number): number;
  /** Each byte at `into` becomes itself or the one at `from`. */
  or_into(into: number, from: number, bytes: number): void;
  /** Makes the PI_BYTES behind each block; `ref` is the low word of the first block's LBA. [SBC-3] 4.22.3 */
  pi_make(at: number, blocks: number, blockBytes: number, ref: number): void;
  /**
   * Checks them as TASK_FLAG_PI_GUARD and TASK_FLAG_PI_REF say; `escape` 1: not where the application tag is FFFFh.
   * PI_GOOD, or index of the block << 2 | PI_BAD_*.
   */
  pi_check(
    at: number,
    blocks: number,
    blockBytes: number,
    ref: number,
    flags: number,
    escape: number,
  ): number;

  // Initiator: commands into a submission entry (SQE_BYTES), outcomes out of a completion entry (CQE_BYTES)

  /** TEST UNIT READY 00h, [SPC-4] 6.47, into the entry at `sqe`. */
  cdb_test_unit_ready(sqe: number): void;
  /** INQUIRY 12h, [SPC-4] 6.6; `page` 0: standard data, else that vital product data page. */
  cdb_inquiry(sqe: number, page: number, data: number, bytes: number): void;
  /** READ CAPACITY(16) 9Eh/10h, [SBC-3] 5.16 */
  cdb_read_capacity16(sqe: number, data: number, bytes: number): void;
  /** READ(16) 88h, [SBC-3] 5.15 */
  cdb_read16(sqe: number, lba: bigint, blocks: number, data: number, bytes: number): void;
  /**
   * WRITE(16) 8Ah, [SBC-3] 5.33. With FUA: what is acknowledged is on the medium, whatever the disk's cache
   * is set to.
   */
  cdb_write16(sqe: number, lba: bigint, blocks: number, fua: boolean, data: number, bytes: number): void;
  /** The same, of data in pieces: `list` has `segments` of them, {address u32, bytes u32} each. */
  cdb_write16_list(
    sqe: number,
    lba: bigint,
    blocks: number,
    fua: boolean,
    list: number,
    segments: number,
    bytes: number,
  ): void;
  /** SYNCHRONIZE CACHE(10) 35h of the whole medium, [SBC-3] 5.21. */
  cdb_synchronize_cache(sqe: number): void;
  /** PERSISTENT RESERVE IN 5Eh, [SPC-4] 6.15; service actions 0 READ KEYS, 1 READ RESERVATION. */
  cdb_reserve_in(sqe: number, action: number, data: number, bytes: number): void;
  /**
   * PERSISTENT RESERVE OUT 5Fh, [SPC-4] 6.16. The parameter list is built at `list` (RESERVE_LIST_BYTES),
   * with APTPL where the service action takes it, so that a disk's power loss does not free what a board
   * holds.
   */
  cdb_reserve_out(
    sqe: number,
    action: number,
    type: number,
    list: number,
    key: bigint,
    service: bigint,
  ): void;
  /** OUTCOME_* of a completion: host status, SCSI status and sense in one word. */
  outcome_of(cqe: number): number;
  /** Sense key, [SPC-4] 4.5.2 (descriptor, 72h) and 4.5.3 (fixed, 70h); 0 without sense data. */
  sense_key(cqe: number): number;
  /** Additional sense code << 8 | qualifier of a completion; 0 without sense data. */
  sense_code(cqe: number): number;
  /** True when `key` is among the keys of READ KEYS data of which `bytes` bytes were asked for. */
  keys_contain(data: number, bytes: number, key: bigint): number;
  /** The first key whose upper word (system id) is `system`, or 0. */
  keys_find_system(data: number, bytes: number, system: number): bigint;
  /** Key of the reservation holder in READ RESERVATION data, or 0 without a reservation. */
  reservation_key(data: number): bigint;
  /** Type of the reservation in READ RESERVATION data, [SPC-4] table 193; 0 without one. */
  reservation_type(data: number): number;

  // Checksums and scans

  /**
   * CRC32C of `bytes` bytes at `ptr`, continued from `crc`, the checksum of what went before (0 at the
   * start). Counts bytes and never compares pointers: in a memory of 4 GiB the end is address 0.
   */
  crc32c(crc: number, ptr: number, bytes: number): number;
  /**
   * Fills the tables. Firmware calls it at boot, so that no panic pays for it; else the first checksum does.
   */
  crc32c_init(): void;
  /** The largest block of lz4_compress. */
  readonly LZ4_BLOCK_MAX: WebAssembly.Global;
  /** Bytes of the table that lz4_compress works in. */
  readonly LZ4_TABLE_BYTES: WebAssembly.Global;
  /**
   * LZ4 block of the `bytes` bytes at `from` (1 to 65,536) into `room` bytes at `to`, which must have 8 bytes more that
   * may be overwritten; works in LZ4_TABLE_BYTES at `table`, aligned to 16. Returns its bytes, or 0 when it does not fit.
   *
   * Source: LZ4 Block Format Description.
   */
  lz4_compress(from: number, bytes: number, to: number, room: number, table: number): number;
  /**
   * Expands the `bytes` bytes at `from` into the `room` bytes at `to`. Returns the bytes made, 0 when it is no
   * LZ4 block.
   */
  lz4_expand(from: number, bytes: number, to: number, room: number): number;
  /** 1 when the `bytes` bytes at `ptr` are all zero, and for none. Any alignment, any length. */
  is_zero(ptr: number, bytes: number): number;

  // Encryption of a dump to a public key

  /** Bytes of scratch that aead_seal works in. */
  readonly AEAD_SCRATCH_BYTES: WebAssembly.Global;
  /** Bytes of scratch that sha256 and hkdf_sha256 work in. */
  readonly SHA256_SCRATCH_BYTES: WebAssembly.Global;
  /** Bytes of scratch that sha512 works in. */
  readonly SHA512_SCRATCH_BYTES: WebAssembly.Global;
  /** Bytes of scratch that ed25519_verify works in. */
  readonly ED25519_SCRATCH_BYTES: WebAssembly.Global;
  /** Bytes of scratch that x25519 works in. */
  readonly X25519_SCRATCH_BYTES: WebAssembly.Global;
  /**
   * AEAD_CHACHA20_POLY1305 of RFC 8439: encrypts the `bytes` bytes at `from` with the 32 bytes at `key` and the 12 at
   * `nonce`; `aad` has 16 bytes. The ciphertext lies at `to`, which may be `from`, and 16 bytes of tag behind it.
   */
  aead_seal(
    key: number,
    nonce: number,
    aad: number,
    from: number,
    bytes: number,
    to: number,
    scratch: number,
  ): void;
  /** SHA-256, 32 bytes at `out`. */
  sha256(from: number, bytes: number, out: number, scratch: number): void;
  /** HKDF-SHA256 for 32 bytes: `salt` of at most 64 bytes, `secret` of at most 160, `info` of at most 127. 0 when one is longer. */
  hkdf_sha256(
    salt: number,
    saltBytes: number,
    secret: number,
    secretBytes: number,
    info: number,
    infoBytes: number,
    out: number,
    scratch: number,
  ): number;
  /** X25519 of RFC 7748: 32 bytes each; zeros say that the point is none of an honest key pair. */
  x25519(out: number, scalar: number, point: number, scratch: number): void;
  /** The public key of a private one. */
  x25519_public(out: number, scalar: number, scratch: number): void;

  // Signatures of firmware images

  /** SHA-512, 64 bytes at `out`. */
  sha512(from: number, bytes: number, out: number, scratch: number): void;
  /**
   * Ed25519 of RFC 8032: 1 when the 64 bytes at `signature` are a signature of the message, of at most 64 bytes, by the
   * public key of 32 bytes at `key`.
   */
  ed25519_verify(signature: number, message: number, bytes: number, key: number, scratch: number): number;

  // Partition table; blocks are of 512 bytes

  /** Blocks of the primary table. */
  readonly GPT_PRIMARY_BLOCKS: WebAssembly.Global;
  /** Blocks of the backup table, the last of the disk. */
  readonly GPT_BACKUP_BLOCKS: WebAssembly.Global;
  /** The data region holds our own format. */
  readonly GPT_DATA_OWN: WebAssembly.Global;
  /** The data region holds an exFAT volume. */
  readonly GPT_DATA_EXFAT: WebAssembly.Global;
  /** No signature. */
  readonly GPT_ABSENT: WebAssembly.Global;
  /** A signature, and something wrong behind it. */
  readonly GPT_BROKEN: WebAssembly.Global;
  /** A good table of somebody else. */
  readonly GPT_FOREIGN: WebAssembly.Global;
  /** A good table of ours. */
  readonly GPT_OURS: WebAssembly.Global;
  /**
   * Fills GPT_PRIMARY_BLOCKS at `buf`, to be written at block 0. All GUIDs follow from `seed`; `data` is
   * GPT_DATA_*. The disk must have a data region (gpt_data_blocks).
   */
  gpt_primary(buf: number, blocks: bigint, seed: bigint, data: number): void;
  /**
   * Fills GPT_BACKUP_BLOCKS at `buf`, to be written at `blocks` - GPT_BACKUP_BLOCKS. Arguments as of
   * gpt_primary.
   */
  gpt_backup(buf: number, blocks: bigint, seed: bigint, data: number): void;
  /** GPT_*, given the first GPT_PRIMARY_BLOCKS of a disk of `blocks` blocks. */
  gpt_primary_state(buf: number, blocks: bigint): number;
  /** GPT_*, given the last GPT_BACKUP_BLOCKS of a disk of `blocks` blocks. */
  gpt_backup_state(buf: number, blocks: bigint): number;
  /** Blocks of the data region of a disk of `blocks` blocks, 0 when the disk is too small for one. */
  gpt_data_blocks(blocks: bigint): bigint;
  /** GPT_DATA_* of a table that is GPT_OURS; `buf` as for gpt_primary_state. */
  gpt_data_kind(buf: number): number;

  // Label of a disk

  /**
   * A fresh label in the COPY_BYTES at `buf`, formatted and without a name. `wwn` is the disk's NAA; the
   * holder is the owner. Store other fields, then seal.
   */
  label_begin(buf: number, role: number, owner: number, volume: number, wwn: bigint): void;
  /** Sets the name from `bytes` bytes of ASCII at `name`; what is over LABEL_NAME_BYTES is cut. */
  label_name(buf: number, name: number, bytes: number): void;
  /** Sets the sequence number and the checksum: the last thing before the write. */
  label_seal(buf: number, sequence: number): void;
  /** True for a whole label that makes sense: checksum, version, and fields within what the layout names. */
  label_valid(buf: number): number;
  /**
   * 0 or 1, the copy that counts of the two at `copies` (2 * COPY_BYTES, as read from LABEL_LBA), or
   * COPY_NONE.
   */
  label_newest(copies: number): number;
  /** 0 or 1, the copy to overwrite next: the older, or one that does not count. */
  label_victim(copies: number): number;
  /** The sequence number that the next label must carry, given both copies as read. */
  label_next_sequence(copies: number): number;
  /** First block of copy 0 or 1. */
  label_lba(copy: number): number;

  // Header of a coredump

  /** A fresh header in the COPY_BYTES at `buf`: attribute inactive, all else 0. Store fields, then seal. */
  header_begin(buf: number): void;
  /** Sets the sequence number and the checksum: the last thing before the write. */
  header_seal(buf: number, sequence: number): void;
  /** True for a whole header whose attribute and abort code are ones the layout names. */
  header_valid(buf: number): number;
  /**
   * True when a valid header points to an image that can lie on a disk of `blocks` blocks: what a reader must
   * ask before it follows the pointers. The chunk table and the image lie in the data region and do not
   * overlap, the memory is the chunks (1 to 65,536 of CHUNK_BYTES), and the counts are no more than that.
   */
  header_image_sound(buf: number, blocks: bigint): number;
  /**
   * 0 or 1, the copy that counts of the two at `copies` (2 * COPY_BYTES, as read from COREDUMP_LBA), or
   * COPY_NONE.
   */
  header_newest(copies: number): number;
  /** 0 or 1, the copy to overwrite next: the older, or one that does not count. */
  header_victim(copies: number): number;
  /** The sequence number that the next header must carry, given both copies as read. */
  header_next_sequence(copies: number): number;
  /** First block of copy 0 or 1. */
  header_lba(copy: number): number;

  // Chunk table of a coredump

  /** Starts block `index` of the table in the TABLE_BYTES at `buf`. */
  table_begin(buf: number, index: number, system: number, epoch: number): void;
  /**
   * Adds an entry. `offsetBlocks` counts from the image's first block; `poison` has a bit for each page of the
   * chunk that is missing in it. False, and nothing done, when full.
   */
  table_append(
    buf: number,
    chunk: number,
    codec: number,
    storedBytes: number,
    offsetBlocks: number,
    crc: number,
    poison: number,
  ): number;
  /** Entries that still fit. */
  table_room(buf: number): number;
  /** Sets the checksum: the last thing before the write. */
  table_seal(buf: number): void;
  /**
   * True when `buf` is block `index` of the table that `system` wrote in `epoch`, whole, and each entry makes
   * sense for a memory of `chunks` chunks and an image of `imageBlocks` blocks (which bounds what a reader
   * then reads).
   */
  table_valid(
    buf: number,
    index: number,
    system: number,
    epoch: number,
    chunks: number,
    imageBlocks: bigint,
  ): number;
  /**
   * Enters a valid block into a chunk map (a byte a chunk: CODEC_*) and into `poison` (u16 a chunk: its pages
   * that are missing; 0 for `poison`: nobody asks). A later entry for the same chunk counts, but a chunk once
   * written stays so.
   */
  table_enter(buf: number, map: number, poison: number): void;
  /** Entries used. */
  table_count(buf: number): number;
  /** Number of the chunk of entry `i`. */
  table_chunk(buf: number, i: number): number;
  /** Pages that are missing in the chunk of entry `i`, bit n for page n. */
  table_poison(buf: number, i: number): number;
  /** CODEC_* of entry `i`. */
  table_codec(buf: number, i: number): number;
  /** Bytes of the chunk of entry `i` as stored. */
  table_stored_bytes(buf: number, i: number): number;
  /** Blocks from the first of the image to the chunk of entry `i`. */
  table_offset_blocks(buf: number, i: number): number;
  /** Of a chunk that is CODEC_LOST: 0, or MISSING_* when it was left out on purpose. */
  table_reason(buf: number, i: number): number;
  /** CRC32C of the CHUNK_BYTES of entry `i`'s chunk as they were in memory. */
  table_crc(buf: number, i: number): number;

  // Dump writer: `area` is the address of its state

  /**
   * Starts an image over. Ring, target, port, system, epoch and places are the caller's to set; sq_tail and
   * in_flight go on counting.
   */
  writer_begin(area: number, pastErrors: boolean): void;
  /**
   * Offers a chunk; it lies at chunk * CHUNK_BYTES. `asZero`: it counts as zero without a look. `poison` has a
   * bit for each page of it that must not be touched. False when it must be offered again, because all batches
   * are in flight, or when the image is full (no_room).
   */
  writer_offer(area: number, chunk: number, asZero: boolean, poison: number): number;
  /** Lists a chunk that must not be touched: `reason` is MISSING_*. False when it must be offered again. */
  writer_leave_out(area: number, chunk: number, reason: number): number;
  /**
   * Sends again what came back for no fault of the disk, closes a table block that is old or the last, and
   * sends one whose chunks are all on the medium.
   */
  writer_step(area: number): void;
  /**
   * A command of the writer has completed: its tag and its OUTCOME_*. False when the tag is not the writer's.
   */
  writer_done(area: number, tag: number, outcome: number): number;
  /** Nothing is open, waiting or in flight. */
  writer_drained(area: number): number;

  // Core file

  /** Bytes of a state. */
  readonly ELF_STATE_BYTES: WebAssembly.Global;
  /** elf_next: no more. */
  readonly ELF_END: WebAssembly.Global;
  /** elf_next: the content of chunk elf_piece_chunk. */
  readonly ELF_CHUNK: WebAssembly.Global;
  /** elf_next: CHUNK_BYTES of zeros. */
  readonly ELF_ZEROS: WebAssembly.Global;
  /**
   * Starts a core of a memory of `chunks` (1 to 65,536) chunks, of which `map` tells where each one is.
   * ATTRIBUTE_* and ABORT_* of the dump go into the coverage note.
   */
  elf_begin(state: number, map: number, chunks: number, attribute: number, abort: number): void;
  /**
   * What the standard notes say: process `pid`, stopped by `signal` at `pc`, of a program called by the
   * `nameBytes` (at most 15) bytes of ASCII at `name`.
   */
  elf_task(state: number, pid: number, signal: number, pc: number, name: number, nameBytes: number): void;
  /**
   * Adds a note NOTE_* of `bytes` bytes, read at `ptr` whenever elf_head is called. False when there are 8.
   */
  elf_note(state: number, type: number, ptr: number, bytes: number): number;
  /**
   * Tells which pages are missing in chunks that are there: a u16 a chunk, bit n for page n, read until the end.
   */
  elf_poison(state: number, poison: number): void;
  /** Lays the file out. The file's size and place of each chunk are final after this. */
  elf_plan(state: number): void;
  /** Bytes of the head: all before the first chunk, a multiple of 4,096. */
  elf_head_bytes(state: number): number;
  /** Bytes of the whole file. */
  elf_file_bytes(state: number): bigint;
  /** 1 for ELF64. */
  elf_is_64(state: number): number;
  /** Finds the next piece in file order: ELF_CHUNK, ELF_ZEROS or ELF_END. Each is CHUNK_BYTES long. */
  elf_next(state: number): number;
  /** Starts elf_next over. */
  elf_rewind(state: number): void;
  /** Number of the chunk that elf_next found. */
  elf_piece_chunk(state: number): number;
  /** Byte offset in the file of the piece that elf_next found. */
  elf_piece_offset(state: number): bigint;
  /**
   * Takes a stored chunk out of the core after the plan, for MISSING_*: its slot in the file stays unused.
   * False when 64 have been taken out, or it is not a stored chunk: then plan anew with the map changed.
   */
  elf_miss(state: number, chunk: number, reason: number): number;
  /** Fills `buf` with the head's `bytes` bytes from `offset` on; what is past the head's end is 0. */
  elf_head(state: number, buf: number, offset: number, bytes: number): void;

  // exFAT: sizes of what the caller brings, and what comes back

  /** Bytes of a state. */
  readonly EXFAT_STATE_BYTES: WebAssembly.Global;
  /** Bytes of the largest allocation bitmap that formatting makes and mounting takes. */
  readonly EXFAT_BITMAP_BYTES: WebAssembly.Global;
  /** How much of a directory is looked at: its first bytes. */
  readonly EXFAT_DIR_BYTES: WebAssembly.Global;
  /** Sectors of the boot region, which mounting reads. */
  readonly EXFAT_BOOT_BLOCKS: WebAssembly.Global;
  /** Bytes of the buffer of exfat_format_run. */
  readonly EXFAT_RUN_BYTES: WebAssembly.Global;
  /** Number of the first cluster. */
  readonly EXFAT_FIRST_CLUSTER: WebAssembly.Global;
  /** Done. */
  readonly EXFAT_OK: WebAssembly.Global;
  /** No exFAT boot sector there. */
  readonly EXFAT_NOT_EXFAT: WebAssembly.Global;
  /** A boot region whose fields or checksum are wrong. */
  readonly EXFAT_BAD_BOOT: WebAssembly.Global;
  /** exFAT, yet not of the shape that formatting here makes. */
  readonly EXFAT_UNSUPPORTED: WebAssembly.Global;
  /** No allocation bitmap or no directory of that name in the root. */
  readonly EXFAT_BAD_ROOT: WebAssembly.Global;
  /** No contiguous free run, or the floor would be passed. */
  readonly EXFAT_NO_SPACE: WebAssembly.Global;
  /** No room in the directory. */
  readonly EXFAT_DIR_FULL: WebAssembly.Global;
  /** A file of that name is there. */
  readonly EXFAT_EXISTS: WebAssembly.Global;
  /** Too few sectors for a volume. */
  readonly EXFAT_TOO_SMALL: WebAssembly.Global;
  /** Not a name that exFAT allows. */
  readonly EXFAT_BAD_NAME: WebAssembly.Global;

  // exFAT: format and mount

  /**
   * Plans a volume of `blocks` sectors at absolute block `lba`. Clusters are the smallest from 32 KiB up of
   * which the bitmap fits EXFAT_BITMAP_BYTES; past 8 TiB (of 32 MiB clusters) the rest of the region stays
   * unused. `label` is ASCII, cut at 11. EXFAT_OK or EXFAT_TOO_SMALL.
   */
  exfat_format_plan(
    state: number,
    lba: bigint,
    blocks: bigint,
    serial: number,
    utc: bigint,
    label: number,
    labelBytes: number,
  ): number;
  /** Runs of a plan. */
  exfat_format_runs(state: number): number;
  /** Fills `buf` (EXFAT_RUN_BYTES) with run `i` of the plan; gives its blocks. See exfat_run_lba. */
  exfat_format_run(state: number, i: number, buf: number): number;
  /** Absolute block of the run that was asked for last. */
  exfat_run_lba(state: number): bigint;
  /** Sum over the first eleven sectors but VolumeFlags and PercentInUse, [exFAT] 3.4. */
  boot_checksum(buf: number): number;
  /**
   * Takes the boot region in `boot` of a volume at absolute block `lba`, in a region of `blocks` blocks.
   * EXFAT_OK, EXFAT_NOT_EXFAT, EXFAT_BAD_BOOT, or EXFAT_UNSUPPORTED (sectors not of 512 bytes, two FATs,
   * clusters under 32 KiB, a bitmap over EXFAT_BITMAP_BYTES).
   */
  exfat_mount(state: number, boot: number, lba: bigint, blocks: bigint): number;
  /**
   * Finds the allocation bitmap and the directory called `name` (ASCII) in the root directory's first
   * EXFAT_DIR_BYTES at `buf`. EXFAT_OK or EXFAT_BAD_ROOT.
   */
  exfat_root(state: number, buf: number, name: number, nameBytes: number): number;
  /**
   * Takes the whole bitmap (EXFAT_BITMAP_BYTES at `buf`, read from exfat_bitmap_lba): gives the free
   * clusters.
   */
  exfat_bitmap(state: number, buf: number): number;
  /** Absolute block of the root directory. */
  exfat_root_lba(state: number): bigint;
  /** Absolute block of the allocation bitmap. */
  exfat_bitmap_lba(state: number): bigint;
  /** Absolute block of the directory that exfat_root found. */
  exfat_directory_lba(state: number): bigint;
  /** Bytes of a cluster. */
  exfat_cluster_bytes(state: number): number;
  /** Clusters of the volume. */
  exfat_clusters(state: number): number;
  /** Free clusters. */
  exfat_free_clusters(state: number): number;

  // exFAT: add a file, step by step

  /** The boot sector says that the volume is in use. */
  readonly STEP_DIRTY: WebAssembly.Global;
  /** The content of the file. */
  readonly STEP_DATA: WebAssembly.Global;
  /** The allocation bitmap. */
  readonly STEP_BITMAP: WebAssembly.Global;
  /** The entry set in the directory. */
  readonly STEP_DIRECTORY: WebAssembly.Global;
  /** The boot sector says that the volume is whole. */
  readonly STEP_CLEAN: WebAssembly.Global;
  /**
   * Prepares a file of `bytes` bytes: finds room for it in `bitmap` (leaving at least `floorClusters` free)
   * and in `directory`, and changes both buffers in memory. EXFAT_OK; or EXFAT_NO_SPACE, EXFAT_DIR_FULL,
   * EXFAT_EXISTS, or EXFAT_BAD_NAME (not 1 to 210 ASCII characters that exFAT allows), and then nothing is
   * changed.
   */
  exfat_add(
    state: number,
    bitmap: number,
    directory: number,
    name: number,
    nameBytes: number,
    bytes: bigint,
    utc: bigint,
    floorClusters: number,
  ): number;
  /** First of `count` free clusters in a row, the lowest such, or 0. */
  exfat_find_run(state: number, bitmap: number, count: number): number;
  /** Byte offset of the entry set of the file called `name` within the directory's EXFAT_DIR_BYTES, or -1. */
  exfat_lookup(directory: number, name: number, nameBytes: number): number;
  /** First cluster of the prepared file. */
  exfat_file_cluster(state: number): number;
  /** Clusters that the prepared file takes. */
  exfat_file_clusters(state: number): number;
  /** Steps of the prepared file. */
  exfat_steps(state: number): number;
  /** STEP_* of step `i`. */
  exfat_step_kind(state: number, i: number): number;
  /** Absolute first block of step `i`. */
  exfat_step_lba(state: number, i: number): bigint;
  /** Bytes from the start of the bitmap's or the directory's buffer to what step `i` writes; else 0. */
  exfat_step_offset(state: number, i: number): number;
  /** Blocks of step `i`; of STEP_DATA, the last may be filled in part. */
  exfat_step_blocks(state: number, i: number): number;
  /** Puts the VolumeFlags of step `i` (STEP_DIRTY, STEP_CLEAN) into the boot sector at `boot`. */
  exfat_step_boot(state: number, i: number, boot: number): void;

  // exFAT: take back what a cut try left

  /** True for a run of clusters that can be a file's on this volume. */
  exfat_run_sound(state: number, first: number, count: number): number;
  /** Byte offset in the directory of the file that has any of these clusters, or -1. */
  exfat_owner(state: number, directory: number, first: number, count: number): number;
  /** Takes the run back in both buffers, and the entry set at `entry` unless that is -1; the steps name its sectors. */
  exfat_undo(
    state: number,
    bitmap: number,
    directory: number,
    entry: number,
    first: number,
    count: number,
  ): void;
  /** True when the volume says that it is in use. */
  exfat_is_dirty(state: number): number;
  /** The caller knows that nobody but itself left the volume dirty: STEP_CLEAN says so. */
  exfat_was_clean(state: number): void;

  // An end of the link to an attached board: `link` is the address of its block, times run in microseconds and may wrap

  /** Bytes of an end's block. Align it to 8. */
  link_size(): number;
  /** Power-on: LINK_HOST or LINK_BOARD. `nonce` should not be that of the life before. */
  link_init(link: number, role: number, nonce: number, now: number): void;
  /** The host begins a session, 1 to 65535, other than the last one. */
  link_open(link: number, session: number, now: number): void;
  /** Ends the session: the far end is told. */
  link_close(link: number): void;
  /** LINK_CLOSED, LINK_OPENING, LINK_OPEN or LINK_LOST. */
  link_state(link: number): number;
  /** Sessions opened since power-on. */
  link_lives(link: number): number;
  /** Bytes that came from the line. */
  link_receive(link: number, from: number, bytes: number, now: number): void;
  /** Next bytes for the line, at most LINE_BYTES_MAX; 0: nothing is due. */
  link_transmit(link: number, to: number, now: number): number;
  /** Microseconds until link_transmit has something, LINK_NEVER if only the far end can change that. */
  link_due(link: number, now: number): number;
  /** Takes bytes for a channel; returns how many had room and credit. */
  link_write(link: number, channel: number, from: number, bytes: number): number;
  /** What was written so far goes out without waiting for more. */
  link_flush(link: number): void;
  /** Next bytes that came, at most FRAME_PAYLOAD_MAX: channel << 16 | bytes, LINK_NOTHING without any. */
  link_take(link: number, to: number): number;
  /** Microseconds since the last good frame of this session. */
  link_silent(link: number, now: number): number;
  /** 1: all that was written has been acknowledged. */
  link_idle(link: number): number;
  /** COUNT_* since power-on. */
  link_count(link: number, what: number): number;
}

/** Where the module lies: for a worker, or for a host that compiles it itself. */
export const wasmUrl: URL;

/** The module, compiled once a process. */
export function compile(): WebAssembly.Module;

export function instantiate(options?: InstantiateOptions): Promise<DiskIo>;
export function instantiateSync(options?: InstantiateOptions): DiskIo;
