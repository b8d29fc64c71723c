/** The ABI of the disk I/O module: exports and nothing else, grouped by what they are for. */

// Memory. The host places all that it gives this module at or above the returned address.
export { heap_base } from './heap';

// Device server
export {
  lu_attention,
  lu_command,
  lu_control,
  lu_copied,
  lu_copy_aborted,
  lu_copy_allowed,
  lu_create,
  lu_execute,
  lu_medium_error,
  lu_nv_bytes,
  lu_nv_load,
  lu_nv_ptr,
  lu_nv_slot,
  lu_power_on,
  lu_registrations,
  lu_reservation,
  lu_reset,
  lu_sanitize,
  lu_sanitize_pattern,
  lu_set_luns,
  lu_size,
  lu_target_name,
  lu_task_management,
  nexus_login,
  nexus_logout,
  no_lu_execute,
} from './target/exports';

// Checksums and scans
export { crc32c, crc32c_init } from './bytes/crc32c';
export { is_zero } from './bytes/zero';
export { LZ4_BLOCK_MAX, LZ4_TABLE_BYTES, lz4_compress } from './bytes/lz4';
export { lz4_expand } from './bytes/unlz4';

// Encryption of a dump to a public key
export { AEAD_SCRATCH_BYTES, aead_seal } from './crypto/aead';
export { ED25519_SCRATCH_BYTES, ed25519_verify } from './crypto/ed25519';
export { SHA256_SCRATCH_BYTES, hkdf_sha256, sha256 } from './crypto/sha256';
export { SHA512_SCRATCH_BYTES, sha512 } from './crypto/sha512';
export { X25519_SCRATCH_BYTES, x25519, x25519_public } from './crypto/x25519';

// Medium data: what a host does with the blocks of an action
export { first_difference, or_into } from './bytes/compare';
export { pi_check, pi_make } from './target/protection';

// Disk format: partition table and label
export {
  GPT_ABSENT,
  GPT_BACKUP_BLOCKS,
  GPT_BROKEN,
  GPT_DATA_EXFAT,
  GPT_DATA_OWN,
  GPT_FOREIGN,
  GPT_OURS,
  GPT_PRIMARY_BLOCKS,
  gpt_backup,
  gpt_backup_state,
  gpt_data_blocks,
  gpt_data_kind,
  gpt_primary,
  gpt_primary_state,
} from './volume/gpt';
export {
  label_begin,
  label_lba,
  label_name,
  label_newest,
  label_next_sequence,
  label_seal,
  label_valid,
  label_victim,
} from './volume/label';

// Disk format: exFAT
export * from './volume/exfat';

// The dump: header, chunk table, core file
export {
  header_begin,
  header_image_sound,
  header_lba,
  header_newest,
  header_next_sequence,
  header_seal,
  header_valid,
  header_victim,
} from './dump/header';
export {
  table_append,
  table_begin,
  table_chunk,
  table_codec,
  table_count,
  table_crc,
  table_enter,
  table_offset_blocks,
  table_poison,
  table_reason,
  table_room,
  table_seal,
  table_stored_bytes,
  table_valid,
} from './dump/table';
export * from './dump/elf';

// Initiator: commands into submission entries, outcomes out of completions, reservation data
export {
  cdb_inquiry,
  cdb_read16,
  cdb_read_capacity16,
  cdb_reserve_in,
  cdb_reserve_out,
  cdb_synchronize_cache,
  cdb_test_unit_ready,
  cdb_write16,
  cdb_write16_list,
} from './initiator/cdb';
export { keys_contain, keys_find_system, reservation_key, reservation_type } from './initiator/keys';
export { outcome_of, sense_code, sense_key } from './initiator/outcome';

// Dump writer
export {
  writer_begin,
  writer_done,
  writer_drained,
  writer_leave_out,
  writer_offer,
  writer_step,
} from './dump/writer';

// An end of the link to an attached board
export * from './link/link';
