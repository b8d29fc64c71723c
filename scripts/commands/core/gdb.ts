import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { Command, InvalidArgumentError } from 'commander';
import { logOf, panicOf, stateOf, traceOf } from '../../../boards/core/epitaph.ts';
import type { MemorySource } from '../../../boards/core/memory-source.ts';
import { RspSession } from '../../../boards/core/rsp-session.ts';
import { RspTarget } from '../../../boards/core/rsp-target.ts';
import { EVENT_NAMES, word } from '../../../boards/core/words.ts';
import { InputError } from '../../../boards/input-error.ts';
import { EXIT_OUTPUT } from '../../exit-codes.ts';
import { fit } from '../../render/format.ts';
import { infoLines } from '../../render/core-info.ts';
import { PLAIN } from '../../render/look.ts';
import { print } from '../show.ts';
import { firmwareOption, sourceArgument, symbolsOf, withSource } from './source.ts';

interface GdbFlags {
  port: number;
  stdio?: true;
  once?: true;
  firmware?: string;
}

function parsePort(text: string): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= 65535)) throw new InvalidArgumentError('It must be a port: 0 to 65535, 0 for any free one.');
  return value;
}

export const gdbCommand = (): Command =>
  new Command('gdb')
    .summary('a server that gdb attaches to')
    .description(
      'Serves the memory and the program counter over the GDB remote protocol, to gdb on this machine alone. Memory ' +
        'that is missing cannot be read; `monitor why ADDRESS` says why. Nothing can be written or run. `monitor info`, ' +
        '`monitor log` and `monitor trace` print what the commands of these names print.',
    )
    .addArgument(sourceArgument())
    .option('--port <port>', 'where to listen on 127.0.0.1', parsePort, 0)
    .option('--once', 'end when the first gdb detaches')
    .option(
      '--stdio',
      "speak on the standard streams, for gdb's `target remote | sparecore core gdb --stdio SOURCE`",
    )
    .addOption(firmwareOption())
    .addHelpText(
      'after',
      `
Examples:
  $ sparecore core gdb disks/a.spare.0.img --port 3333
  $ gdb build/debug/sparecore.elf -ex 'target remote :3333' -ex 'p core.phase' -ex 'p disks[3]'
  $ gdb build/debug/sparecore.elf -ex 'target remote | npx sparecore core gdb --stdio disks/a.spare.0.img'
  $ gdb build/debug/sparecore.elf core.1001.2026-01-01.00_00_05     a core file needs no server
`,
    )
    .action(async (spec: string, flags: GdbFlags) => {
      await withSource(spec, (source) => {
        const target = new RspTarget(source, (command) => monitor(source, flags.firmware, command));
        return flags.stdio === true ? onStdio(target) : onPort(target, flags);
      });
    });

async function onStdio(target: RspTarget): Promise<void> {
  await new Promise<void>((resolve) => {
    const session = new RspSession(target, (bytes) => void process.stdout.write(bytes), resolve);
    process.stdin.on('data', (bytes: Buffer) => void session.push(bytes));
    process.stdin.on('end', resolve);
  });
  process.stdin.destroy();
}

/** Until it is interrupted, or after one session. One gdb at a time. */
async function onPort(target: RspTarget, { port, once: single }: GdbFlags): Promise<void> {
  const server = createServer({ noDelay: true });
  server.maxConnections = 1;
  await listen(server, port);
  server.on('connection', (socket) => {
    const session = new RspSession(
      target,
      (bytes) => void socket.write(bytes),
      () => socket.end(),
    );
    socket.on('data', (bytes: Buffer) => void session.push(bytes));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (single === true) server.close();
    });
  });
  const address = server.address();
  const at = typeof address === 'object' && address !== null ? address.port : port;
  print([`listening on 127.0.0.1:${at}: gdb build/debug/sparecore.elf -ex 'target remote 127.0.0.1:${at}'`]);
  await once(server, 'close');
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new InputError(`127.0.0.1:${port}: cannot listen (${error.code})`, EXIT_OUTPUT)),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
}

const LAST = 40;

async function monitor(
  source: MemorySource,
  firmware: string | undefined,
  command: string,
): Promise<string | null> {
  const lines = await linesOf(source, firmware, command);
  return lines === null ? null : lines.map((line) => `${line}\n`).join('');
}

async function linesOf(
  source: MemorySource,
  firmware: string | undefined,
  command: string,
): Promise<string[] | null> {
  if (command === 'log')
    return (await logOf(source))?.slice(-LAST).map((line) => fit(line, 500)) ?? ['the log ring is not in it'];
  if (command === 'trace') {
    const events = (await traceOf(source))?.slice(-LAST);
    return (
      events?.map(
        ({ timeUs, code, a, b, c }) => `${timeUs} us ${word(EVENT_NAMES, code)} ${a} ${b} ${c}`,
      ) ?? ['the trace ring is not in it']
    );
  }
  if (command !== 'info') return null;
  const panic = await panicOf(source);
  return infoLines(PLAIN, {
    source,
    panic,
    log: await logOf(source),
    state: await stateOf(source),
    symbols: symbolsOf(firmware, panic),
  });
}
