/** Nothing here can be told to anybody: the CPU traps, and the board starts anew. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}
