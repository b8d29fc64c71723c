/** What a board gives its bootloader: four devices, each an import module. Numbers are 32-bit. */

/** Next byte of the serial line, -1 without one. */
@external('uart', 'read')
export declare function uart_read(): i32;
/** Takes all of it; waits if it must. */
@external('uart', 'write')
export declare function uart_write(ptr: u32, bytes: u32): void;

/** Flash: 0 when it was done. Erases whole sectors; writes whole units, which must be erased. */
@external('flash', 'erase')
export declare function flash_erase(offset: u32, bytes: u32): i32;


@external('flash', 'write')
export declare function flash_write(offset: u32, ptr: u32, bytes: u32): i32;


@external('flash', 'read')
export declare function flash_read(offset: u32, ptr: u32, bytes: u32): void;

/** A running count; it may start anywhere and wraps. */
@external('timer', 'now_ms')
export declare function timer_now_ms(): u32;


@external('reset', 'reboot')
export declare function reset_reboot(): void;
/** 1: the board is asked to stay in recovery, by a strap or by what ran before. */
@external('reset', 'recovery')
export declare function reset_recovery(): u32;
/** Gives the board to the image whose header is at `offset` of the flash. Where that is native code it does not return. */
@external('reset', 'jump')
export declare function reset_jump(offset: u32): void;
