/** What a portal gives to the connections that come in at it. */
import type { Host } from '../host.ts';
import type { ChapSecrets } from './chap.ts';
import type { Crc } from './crc.ts';
import type { IscsiEvent } from './event.ts';
import type { Sessions } from './sessions.ts';
import type { Pair } from './text.ts';

export interface Entrance {
  readonly target: string;
  readonly port: 1 | 2;
  readonly chap: ChapSecrets | null;
  readonly host: Host;
  readonly crc: Crc;
  readonly sessions: Sessions;
  enter(call: () => void): void;
  tell(event: IscsiEvent): void;
  sendTargets(all: boolean, localAddress: string): Pair[];
}
