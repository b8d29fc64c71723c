/**
 * What a board gives firmware: its devices, each an import module. Numbers are 32-bit; addresses are of board RAM.
 * Three boards implement it: emulated, attached over serial, native.
 */

/** Host bus adapter: sets the rings (each of `count` entries, a power of two). */
@external('hba', 'configure')
export declare function hba_configure(sq: u32, sqCount: u32, cq: u32, cqCount: u32): void;
/** Entries up to `tail` (a running count) are ready to be fetched. */
@external('hba', 'doorbell')
export declare function hba_doorbell(tail: u32): void;
/** Completions ever posted to the ring (a running count). */
@external('hba', 'poll')
export declare function hba_poll(): u32;
/** Stops all DMA and forgets what is outstanding; a write whose data the disk already has may still land. */
@external('hba', 'reset')
export declare function hba_reset(): void;


@external('irq', 'mask')
export declare function irq_mask(lines: u32): void;


@external('irq', 'unmask')
export declare function irq_unmask(lines: u32): void;

/**
 * Memory controller: number of the first page of 4 KiB, from `page` on, that is poisoned by an uncorrectable error;
 * ECC_NONE without one. Whoever reads such a page, CPU or DMA, faults.
 */
@external('ecc', 'next')
export declare function ecc_next(page: u32): u32;
export const ECC_NONE: u32 = 0xffffffff;
export const ECC_PAGE_BYTES: u32 = 4096;

/** 32 bits from the board's random number generator. */
@external('random', 'word')
export declare function random_word(): u32;

/** Board time since power-on, us. */
@external('timer', 'now_lo')
export declare function timer_now_lo(): u32;


@external('timer', 'now_hi')
export declare function timer_now_hi(): u32;
/** Real-time clock, seconds since 1970 UTC. */
@external('timer', 'utc')
export declare function timer_utc(): u32;
/** The work just done, WORK_*; the board adds its cost to this cycle. */
@external('timer', 'work')
export declare function timer_work(kind: u32, amount: u32): void;

/** Starts the watchdog or feeds it. */
@external('watchdog', 'feed')
export declare function watchdog_feed(timeoutMs: u32): void;


@external('interconnect', 'send')
export declare function interconnect_send(ptr: u32, bytes: u32): void;
/** Next message into `ptr`; its bytes (it is cut at `room`), 0 without one. */
@external('interconnect', 'receive')
export declare function interconnect_receive(ptr: u32, room: u32): u32;


@external('nvram', 'read')
export declare function nvram_read(offset: u32): u32;


@external('nvram', 'write')
export declare function nvram_write(offset: u32, value: u32): void;


@external('uart', 'write')
export declare function uart_write(ptr: u32, bytes: u32): void;
/** Next byte typed at the console, -1 without one. */
@external('uart', 'read')
export declare function uart_read(): i32;


@external('reset', 'halt')
export declare function reset_halt(): void;


@external('reset', 'reboot')
export declare function reset_reboot(): void;

/** Front-end port: where clients' requests arrive. */
@external('port', 'configure')
export declare function port_configure(ring: u32, count: u32): void;
/** Requests ever placed in the ring (a running count). */
@external('port', 'poll')
export declare function port_poll(): u32;
/** Requests up to `head` are done with, their places free. */
@external('port', 'release')
export declare function port_release(head: u32): void;
/** Moves the data that came with a write request to `ptr`. */
@external('port', 'fetch')
export declare function port_fetch(tag: u32, ptr: u32, bytes: u32): void;
/** Ends a request: SCSI status, sense key << 16 | code << 8 | qualifier, and the data of a read. */
@external('port', 'reply')
export declare function port_reply(tag: u32, status: u32, sense: u32, ptr: u32, bytes: u32): void;
/** Answer for this volume's address from now on, or no longer. */
@external('port', 'claim')
export declare function port_claim(volume: u32, on: u32): void;

/** An event for whoever looks at the board from outside; costs the firmware nothing. */
@external('trace', 'event')
export declare function trace_event(code: u32, a: u32, b: u32, c: u32): void;
