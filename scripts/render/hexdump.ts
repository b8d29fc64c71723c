// Memory as a listing: offset, 16 bytes, and their characters; what is missing is one line that says why.
import { hexOf as hex } from '../../boards/core/hex.ts';
import type { Piece } from '../../boards/core/memory-source.ts';
import { MISSING, word } from '../../boards/core/words.ts';

export function* hexdump(pieces: readonly Piece[]): Generator<string> {
  for (const { address, bytes, content, reason } of pieces) {
    if (content === null) {
      yield `${hex(address)}  ${bytes} bytes up to ${hex(address + bytes)} are not there: ${word(MISSING, reason)}`;
      continue;
    }
    for (let at = 0; at < content.length; at += 16) {
      const row = content.subarray(at, at + 16);
      const cells = Array.from(row, (byte) => hex(byte, 2));
      const halves = `${cells.slice(0, 8).join(' ')}  ${cells.slice(8).join(' ')}`;
      const text = Array.from(row, (byte) =>
        byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
      ).join('');
      yield `${hex(address + at)}  ${halves.padEnd(48)}  |${text}|`;
    }
  }
}
