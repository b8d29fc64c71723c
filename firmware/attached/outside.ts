/**
 * What the agent needs of whoever carries it: the line to the host, the board's RAM, and the CPU that runs the firmware.
 * In Node that is boards/serial/peer.ts; on a Cortex-M a little C does the same.
 *
 * A fault of the firmware, and a trap in the agent that the firmware called, both end the call of `cpu`: the outermost
 * function of `cpu` that runs returns, and `cpu.trapped` says so (in C: setjmp there, longjmp at a trap).
 */

/** Bytes that came, at most `room`; 0 when there are none now. */
@external('wire', 'read')
export declare function wire_read(ptr: u32, room: u32): u32;
/** Takes bytes for the line; how many it had room for. */
@external('wire', 'write')
export declare function wire_write(ptr: u32, bytes: u32): u32;
/** Returns when bytes have come or there is room again, after `us` at the latest. */
@external('wire', 'wait')
export declare function wire_wait(us: u32): void;
/** A clock of the board's own, us; it may wrap around. */
@external('wire', 'now')
export declare function wire_now(): u32;

/** The most RAM the board can have, in units of 64 KiB. */
@external('ram', 'room')
export declare function ram_room(): u32;
/** Bytes of RAM, all inside it, to and from the agent's memory. */
@external('ram', 'read')
export declare function ram_read(address: u32, ptr: u32, bytes: u32): void;


@external('ram', 'write')
export declare function ram_write(address: u32, ptr: u32, bytes: u32): void;

/** EM_* of the CPU. */
@external('cpu', 'machine')
export declare function cpu_machine(): u32;
/** Puts the firmware's build id, BUILD_BYTES, at `ptr`. */
@external('cpu', 'build')
export declare function cpu_build(ptr: u32): void;
/** Stops the firmware; RAM is all zero and of `units` times 64 KiB. 0: it cannot be. */
@external('cpu', 'reset')
export declare function cpu_reset(units: u32): u32;
/** A new life of the firmware in RAM: its static data, then its `start`. */
@external('cpu', 'start')
export declare function cpu_start(): void;


@external('cpu', 'place_address')
export declare function cpu_place_address(): u32;


@external('cpu', 'build_address')
export declare function cpu_build_address(): u32;


@external('cpu', 'boot_board')
export declare function cpu_boot_board(periodUs: u32): void;


@external('cpu', 'cycle')
export declare function cpu_cycle(): u32;


@external('cpu', 'interrupt')
export declare function cpu_interrupt(lines: u32): void;


@external('cpu', 'nmi')
export declare function cpu_nmi(reason: u32, pc: u32, address: u32): void;
/** 1: the last of the calls above ended in a trap. */
@external('cpu', 'trapped')
export declare function cpu_trapped(): u32;
/** Where it was: offset in the code, 0 if not known. */
@external('cpu', 'pc')
export declare function cpu_pc(): u32;
/** A host speaks to the bootloader: gives it the board, and does not come back where there is one. */
@external('cpu', 'recovery')
export declare function cpu_recovery(): void;
/**
 * Where native code stands: after a trap at that moment, else now. Puts r0 to r15 and xpsr at `ptr`, then the stack from
 * the stack pointer on, at most `room` bytes; how many. 0: the CPU has none of these.
 */
@external('cpu', 'registers')
export declare function cpu_registers(ptr: u32, room: u32): u32;
/** Where that CPU has the board's RAM. */
@external('cpu', 'ram_address')
export declare function cpu_ram_address(): u32;
