/** Kinds of boards, by the names that people type. */
import { KIND_CORTEX_M, KIND_EMULATED } from '../../firmware/bootloader/layout.ts';

export const KINDS: Readonly<Record<string, number>> = {
  emulated: KIND_EMULATED,
  'cortex-m': KIND_CORTEX_M,
};

export const kindName = (kind: number): string =>
  Object.keys(KINDS).find((name) => KINDS[name] === kind) ?? `unknown kind ${kind}`;
