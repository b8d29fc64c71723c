import {
  EXIT_BAD_BOARD,
  EXIT_BAD_CORE,
  EXIT_BAD_FIRMWARE,
  EXIT_BAD_FLASH_IMAGE,
  EXIT_BAD_IMAGE,
  EXIT_BAD_PORT,
  EXIT_BAD_PORTAL,
  EXIT_BAD_SCENARIO,
  EXIT_BAD_SECRET,
  EXIT_CANNOT_WRITE,
} from '../boards/input-error.ts';

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
export const EXIT_REFUSED = 8; // an order
export const EXIT_UNAVAILABLE = 69; // EX_UNAVAILABLE of sysexits.h: nobody is there to take an order
export const EXIT_INTERNAL = 70; // EX_SOFTWARE of sysexits.h
export const EXIT_OUTPUT = EXIT_CANNOT_WRITE;
export const EXIT_PIPE_CLOSED = 141; // as a program that SIGPIPE ends

export const EXIT_CODE_HELP = `
Exit codes:
  ${EXIT_OK}   the run reached its end and every invariant held
  ${EXIT_FAILED}   an invariant was violated, or the run ended before everything had settled
  ${EXIT_USAGE}   wrong usage
  ${EXIT_BAD_SCENARIO}   bad scenario
  ${EXIT_BAD_IMAGE}   disk images refused: of another format, torn, or not made by sparecore
  ${EXIT_BAD_FIRMWARE}   firmware refused: missing, or with the wrong imports
  ${EXIT_BAD_SECRET}   CHAP secret refused: missing, too short, or readable by others
  ${EXIT_BAD_PORTAL}   portal refused: address in use, not of this host, or open without CHAP
  ${EXIT_REFUSED}   order refused
  ${EXIT_BAD_CORE}   core refused: no memory of a board in it, or what was asked for is not in it
  ${EXIT_BAD_FLASH_IMAGE}  firmware image or key refused
  ${EXIT_BAD_PORT}  serial port refused: not there, not permitted, or in use
  ${EXIT_BAD_BOARD}  the board on the port refused, or did not answer
  ${EXIT_UNAVAILABLE}  no pair is served that could take the order, or its control socket cannot be made
  ${EXIT_INTERNAL}  internal error (SPARECORE_DEBUG=1 shows where)
  ${EXIT_OUTPUT}  the output or a disk image cannot be written`;
