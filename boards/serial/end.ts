/**
 * One end of a serial line, as protocols see it: bytes go in and come out, any of them may be wrong or missing, and the
 * line may go away. A real port, the far end of an in-process wire and a test all are one.
 */
export interface SerialEnd {
  /** Called with what has arrived; the bytes belong to the callee. */
  onData: (bytes: Uint8Array) => void;
  /** Called once when the line is gone, with the reason, or null when it was closed from here. */
  onClose: (reason: string | null) => void;
  readonly isOpen: boolean;
  /** Queues bytes; what is written to a line that is gone is lost. */
  write(bytes: Uint8Array): void;
  /** Bytes queued here and not yet taken by the line. */
  readonly queued: number;
}

/** Modem lines that a host sets; wired to reset and boot mode on many boards. */
export interface ModemLines {
  dtr: boolean;
  rts: boolean;
}

export const ignore = (): void => undefined;
