/** What the user gave is not usable. The message is for the user: clear lines without a stack trace. */
export class InputError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.name = 'InputError';
    this.exitCode = exitCode;
  }
}

/** Exit codes of the command line, one a kind of bad input. */
export const EXIT_BAD_SCENARIO = 3;
export const EXIT_BAD_IMAGE = 4;
export const EXIT_BAD_FIRMWARE = 5;
export const EXIT_BAD_SECRET = 6;
export const EXIT_BAD_PORTAL = 7;
export const EXIT_BAD_CORE = 9;
/** A firmware image, or a key: not one, wrongly signed, or for another board. */
export const EXIT_BAD_FLASH_IMAGE = 10;
export const EXIT_BAD_PORT = 11;
/** The board on a port refused, or did not answer. */
export const EXIT_BAD_BOARD = 12;
/** EX_IOERR of sysexits.h: the output or a disk image cannot be written. */
export const EXIT_CANNOT_WRITE = 74;
