// Starts and stops rigs: boards behind a line that looks like a serial port.
import { fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_BAD_PORT, InputError } from '../../boards/input-error.ts';
import { hostPause } from '../host-pause.ts';
import { NATIVE_MIB, makeFlash } from './kinds.ts';
import { NAME_RULE, type RigReady, type RigRecord, isKeeper, isName, rigFolder, rigs } from './records.ts';

export type RigWish = Pick<RigRecord, 'name' | 'kind' | 'memoryMib' | 'key' | 'image'>;

const STOP_MS = 5_000;
const LOOK_MS = 20;
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

export async function startRig(wish: RigWish): Promise<RigRecord> {
  if (!isName(wish.name)) throw new InputError(`${wish.name}: ${NAME_RULE}`, EXIT_BAD_PORT);
  const there = rigs().find(({ name }) => name === wish.name);
  if (there !== undefined)
    throw new InputError(`rig ${wish.name} runs already, at ${there.port}`, EXIT_BAD_PORT);
  const port = join(rigFolder(), wish.name);
  const flash = `${port}.flash`;
  rmSync(flash, { force: true }); // every rig is fresh from the factory
  if (wish.kind === 'qemu') makeFlash(flash, wish.key, wish.image);
  const memoryMib = wish.kind === 'qemu' ? NATIVE_MIB : wish.memoryMib;
  const record: RigRecord = {
    ...wish,
    memoryMib,
    port,
    boardPort: `${port}.board`,
    flash,
    pid: 0,
    boardPid: 0,
  };
  const keeper = fork(join(import.meta.dirname, `keeper${extension}`), [JSON.stringify(record)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const { bad } = await new Promise<RigReady>((resolve) => {
    keeper.once('message', (message) => resolve(message as RigReady));
    keeper.once('exit', (code) => resolve({ bad: `its keeper ended with ${code}` }));
  });
  keeper.unref();
  if (bad !== null) throw new InputError(`rig ${wish.name}: ${bad}`, EXIT_BAD_PORT);
  return { ...record, pid: keeper.pid! };
}

/** Resolves when it has gone. */
export async function stopRig(name: string): Promise<void> {
  const record = rigs().find((each) => each.name === name);
  if (record === undefined) {
    const names = rigs().map((each) => each.name);
    const others = names.length === 0 ? 'none runs' : `these run: ${names.join(', ')}`;
    throw new InputError(`no rig ${name}; ${others}`, EXIT_BAD_PORT);
  }
  process.kill(record.pid, 'SIGTERM');
  for (let waited = 0; isKeeper(record.pid); waited += LOOK_MS) {
    if (waited > STOP_MS) throw new InputError(`rig ${name} does not stop`, EXIT_BAD_PORT);
    await hostPause(LOOK_MS);
  }
}
