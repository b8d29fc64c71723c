/** A board as the rest of the machine sees it, whatever it is made of. */
export interface Board {
  readonly index: 0 | 1;
  readonly name: 'a' | 'b';
  /** Running firmware, and neither off nor in reset. */
  readonly running: boolean;
  /** It has power, whether it runs or not. */
  readonly powered: boolean;
  /** Bytes of RAM. */
  readonly memoryBytes: number;
  /** RAM as it is now; null when the board is off. */
  ram(): Uint8Array | null;
  powerOn(): void;
  powerOff(): void;
  /** The operator's button, or an error that hardware reports: PANIC_*, and the address of a memory error. */
  nmi(reason: number, address: number): void;
  /** The CPU gets stuck in its cycle. */
  hang(): void;
  /** Bytes typed at the console. */
  type(text: string): void;
}
