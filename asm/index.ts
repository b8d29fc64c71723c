/** The ABI of the disk I/O module: exports and nothing else, grouped by what they are for. */

// Memory. The host places all that it gives this module at or above the returned address.
export { heap_base } from './heap';

// Device server
export {
  lu_attention,
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
  lu_size,
  lu_task_management,
  nexus_login,
  nexus_logout,
} from './target/exports';
