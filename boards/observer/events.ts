/** Names of the firmware's trace events, for reports and for scenarios that wait for one. */
import * as F from '../../firmware/layout.ts';

const named = Object.entries(F).filter((entry): entry is [string, number] => entry[0].startsWith('EV_'));

const NAME_BY_CODE = new Map(named.map(([name, code]) => [code, nameOf(name)]));

function nameOf(constant: string): string {
  return constant.slice(3).toLowerCase().replaceAll('_', '-');
}

/** "dump-begin" of EV_DUMP_BEGIN. */
export function eventName(code: number): string {
  return NAME_BY_CODE.get(code) ?? `event-${code}`;
}

export const EVENT_NAMES: readonly string[] = [...NAME_BY_CODE.values()];
