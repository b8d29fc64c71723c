/**
 * Sizes of the buffers that a caller brings, and what comes back.
 *
 * [exFAT] Microsoft, "exFAT file system specification", 3.1 main boot sector, 7.1 allocation bitmap
 */

/** Bytes of a state. */
export const EXFAT_STATE_BYTES = 256;
/** Bytes of the largest allocation bitmap that formatting makes and mounting takes: 262,144 clusters. */
export const EXFAT_BITMAP_BYTES = 32768;
/** How much of a directory is looked at: its first bytes. Formatting makes no cluster smaller. */
export const EXFAT_DIR_BYTES = 32768;
/** Sectors of the boot region, which mounting reads. */
export const EXFAT_BOOT_BLOCKS = 12;

export const EXFAT_OK = 0;
export const EXFAT_NOT_EXFAT = 1; // no exFAT boot sector there
export const EXFAT_BAD_BOOT = 2; // a boot region whose fields or checksum are wrong
export const EXFAT_UNSUPPORTED = 3; // exFAT, yet not of the shape that formatting here makes
export const EXFAT_BAD_ROOT = 4; // no allocation bitmap or no directory of cores in the root
export const EXFAT_NO_SPACE = 5; // no contiguous free run, or the floor would be passed
export const EXFAT_DIR_FULL = 6;
export const EXFAT_EXISTS = 7; // a file of that name is there
export const EXFAT_TOO_SMALL = 8; // too few sectors for a volume
export const EXFAT_BAD_NAME = 9;
