/**
 * What host and board say to each other over the link: remote procedure calls, with the host as clock master.
 * Integers only: the AssemblyScript compiler and Node both read this file as it is.
 *
 * **Records.** The payloads of all DATA frames, in the order of their sequence numbers, are a stream of records. A record
 * is a head of RECORD_HEAD_BYTES, `type` u8, `a` u8, `bytes` u16, `b` u32, and `bytes` bytes of body, all little-endian.
 * A record may go on in the next frame of its channel; a frame of another channel begins a new record. The first frame
 * of a session begins one, too. What is not listed here, or comes when it should not, ends the session.
 *
 * **Lockstep.** The board does nothing by itself. After RESET the host sends everything that has changed since the last
 * call (WRITE, POSTED, TYPED, MESSAGE, NVRAM, ECC) and then one call: BOOT, CYCLE, INTERRUPT or NMI, each with the
 * time that board time stands at during the call. The board runs the firmware and sends what the firmware does to its
 * devices, in that order, and then RETURN, or TRAP when the CPU faulted. In the middle of a call it may ask (RANDOM,
 * FETCH, and a TRACE whose `a` is 1); it then waits for RESUME, and meanwhile answers READ and SUMS. Between calls it
 * answers these, too. Of everything the board says only these call for the host: WELCOME, READY, RETURN, TRAP, RANDOM,
 * FETCH, and TRACE, RAM and SUMS_ARE with an `a` of 1.
 *
 * **RAM** is the board's own; the host keeps a shadow of what devices see. Before a DOORBELL the board sends, as RAM, the
 * new submission entries, their scatter-gather lists and the data of commands with SQE_DATA_OUT; before a REPLY the data
 * of the answer. What devices put into RAM (data of reads, completions, requests, fetched data) the host sends as WRITE.
 * A doorbell counts only when all of it has come, so a link that dies never leaves a wrong write behind.
 *
 * **Session.** RESET clears RAM, stops the CPU and sets its size; nothing else but HELLO, READ and SUMS may come before.
 * When the session ends the board stops the CPU at its next word to the host; RAM stays as it is until RESET.
 *
 * Channels: asm/link/layout.ts. Devices and exports of the firmware: firmware/board.ts and firmware/main.ts.
 */
export const RPC_VERSION: u32 = 1;
export const RECORD_HEAD_BYTES: u32 = 8;
export const RECORD_TYPE_AT: u32 = 0; // u8
export const RECORD_A_AT: u32 = 1; // u8
export const RECORD_BYTES_AT: u32 = 2; // u16
export const RECORD_B_AT: u32 = 4; // u32
/** Body of a record that carries contents of RAM; of any other one at most RECORD_SMALL_MAX. */
export const RECORD_BULK_MAX: u32 = 32768;
export const RECORD_SMALL_MAX: u32 = 512;
export const PAGE_BYTES: u32 = 4096; // that SUMS counts in
export const RAM_UNIT_BYTES: u32 = 65536; // that RESET and WELCOME count in

// ---------------------------------------------------------------------------------------------- host to board
export const RPC_HELLO: u32 = 1; // control; b RPC_VERSION. Answer: WELCOME
export const RPC_RESET: u32 = 2; // control; b RAM in units, body u32 x 2: bit n set: TRACE of event n waits. Answer: READY
export const RPC_NVRAM: u32 = 3; // control; b offset, body words
export const RPC_ECC: u32 = 4; // control; a 1: the list begins anew; body page numbers u32, rising
export const RPC_READ: u32 = 5; // control; b address, body u32 bytes. Answer: RAM
export const RPC_SUMS: u32 = 6; // control; b first page, body u32 pages. Answer: SUMS_ARE
export const RPC_RESUME: u32 = 7; // control; b what was asked for
export const RPC_WRITE: u32 = 8; // hba, port; b address, body bytes
export const RPC_POSTED: u32 = 9; // hba, port; a DEVICE_*, b running count of what was posted
export const RPC_TYPED: u32 = 10; // console; body bytes typed
export const RPC_MESSAGE: u32 = 11; // interconnect; body one message
export const RPC_BOOT: u32 = 12; // time; b period us, body now
export const RPC_CYCLE: u32 = 13; // time; body now
export const RPC_INTERRUPT: u32 = 14; // time; b lines, body now
export const RPC_NMI: u32 = 15; // panic; a PANIC_*, b pc, body now, address u32, place (up to 256 bytes, no NUL)

/** Build id: hexadecimal digits. */
export const BUILD_BYTES: u32 = 16;
/** `now` in a body: board time us u64, seconds UTC u32. */
export const NOW_BYTES: u32 = 12;
export const DEVICE_HBA: u32 = 0;
export const DEVICE_PORT: u32 = 1;

// ---------------------------------------------------------------------------------------------- board to host
export const RPC_WELCOME: u32 = 32; // control; a RPC_VERSION, b most RAM in units, body machine u32, units of RAM now u32, build id (16 bytes)
export const RPC_READY: u32 = 33; // control; a 1 done, 0: not with so much RAM
export const RPC_RAM: u32 = 34; // hba, panic, port, control; a 1: the last of a READ, b address, body bytes
export const RPC_SUMS_ARE: u32 = 35; // control; a 1: the last, b first page, body CRC32C u32 each
export const RPC_CONFIGURE: u32 = 36; // hba; body sq, count, cq, count u32
export const RPC_DOORBELL: u32 = 37; // hba, panic; b tail
export const RPC_HBA_RESET: u32 = 38; // hba
export const RPC_IRQ: u32 = 39; // control; a 1 mask 0 unmask, b lines
export const RPC_WORK: u32 = 40; // time; a WORK_*, b amount
export const RPC_FEED: u32 = 41; // time; b ms
export const RPC_SEND: u32 = 42; // interconnect; body one message
export const RPC_NVRAM_WRITE: u32 = 43; // control; b offset, body u32
export const RPC_TEXT: u32 = 44; // console; body bytes
export const RPC_HALT: u32 = 45; // control; a 0 halt 1 reboot
export const RPC_PORT_CONFIGURE: u32 = 46; // port; b ring, body count u32
export const RPC_RELEASE: u32 = 47; // port; b head
export const RPC_FETCH: u32 = 48; // port; b tag, body address, bytes u32. Waits; the data comes as WRITE
export const RPC_REPLY: u32 = 49; // port; a SCSI status, b tag, body sense, address, bytes u32
export const RPC_CLAIM: u32 = 50; // port; a on, b volume
export const RPC_TRACE: u32 = 51; // trace; a 1: waits, b code, body a, b, c u32
export const RPC_RANDOM: u32 = 52; // control. Waits
export const RPC_RETURN: u32 = 53; // time; b result, body messages taken u32, typed bytes taken u32
export const RPC_TRAP: u32 = 54; // time; b pc, body as RETURN

/** What a board keeps for the firmware between calls. */
export const MESSAGES_MAX: u32 = 64; // of MESSAGE_MAX bytes
export const MESSAGE_MAX: u32 = 256;
export const TYPED_MAX: u32 = 4096;
export const ECC_MAX: u32 = 256; // pages
export const NVRAM_BYTES: u32 = 4096;
export const MACHINE_WASM: u32 = 3; // EM_386: its core files are read as i386
export const MACHINE_ARM: u32 = 40; // EM_ARM

// ------------------------------------------------------------------------------------- what is no word of the link
/**
 * Silence on the line after which a host may mean something else, us. One whose session is open probes every PROBE_US: it
 * must have gone without a word before anything of the line is taken for the other.
 */
export const QUIET_US: u32 = 500000;
export const QUIET_OPEN_US: u32 = 2000000;
/** What the bootloader's protocols begin with, and no frame of the link does: 06 09 of SMP, 7F of AN3155. */
export const SMP_START: u32 = 0x0906;
export const SMP_NEWLINE: u32 = 0x0a; // may come before it
export const STM32_START: u32 = 0x7f;
/** RRRR: as many bytes of anything as the line takes, to measure it. */
export const RAW_START: u32 = 0x52525252;
export const RAW_BYTES: u32 = 0x200000; // as many as the small scenario dumps
