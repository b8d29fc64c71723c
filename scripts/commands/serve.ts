import { readFileSync, statSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { Command, InvalidArgumentError } from 'commander';
import { realHost } from '../../boards/host.ts';
import { EXIT_BAD_SECRET, InputError } from '../../boards/input-error.ts';
import type { ChapSecrets } from '../../boards/iscsi/chap.ts';
import { orderHelp, parseOrder } from '../../boards/operator.ts';
import { loadScenario } from '../../boards/scenario-file.ts';
import { type Portal, type ServeEvent, Serving } from '../../boards/serving.ts';
import type { Status } from '../../boards/status.ts';
import { type Answer, listenForOrders } from '../control-socket.ts';
import { EXIT_CODE_HELP, EXIT_FAILED, EXIT_OK } from '../exit-codes.ts';
import { seconds } from '../render/format.ts';
import { initiatorText } from '../render/initiators.ts';
import { lookOf, paint } from '../render/look.ts';
import { statusLines } from '../render/status.ts';
import { jsonOption } from './options.ts';

interface ServeFlags {
  json?: true;
  portalA: Portal;
  portalB: Portal;
  chap?: UserFile;
  chapMutual?: UserFile;
  disks?: string;
  firmware?: string;
}

interface UserFile {
  user: string;
  file: string;
}

/** `127.0.0.1:3260`, `[::1]:0`. */
function parsePortal(text: string): Portal {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  if (found === null || port > 65535) throw new InvalidArgumentError('It must be ADDRESS:PORT.');
  return { address: found[1] ?? found[2]!, port };
}

function parseUserFile(text: string): UserFile {
  const at = text.indexOf(':');
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError('It must be USER:FILE.');
  return { user: text.slice(0, at), file: text.slice(at + 1) };
}

export const serveCommand = (): Command =>
  new Command('serve')
    .summary('run a pair in real time, its disks open to iSCSI initiators')
    .description(
      'Runs the pair in real time and exports every disk of its shelf over iSCSI on both ports: one target a port, ' +
        'disk n as LUN n, so that an initiator stands where a board stands.',
    )
    .argument('[scenario]', 'file of a scenario (YAML), or the name of one that sparecore ships', 'shelf')
    .option('--portal-a <address:port>', 'where port a listens; port 0: any free one', parsePortal, {
      address: '127.0.0.1',
      port: 3260,
    })
    .option('--portal-b <address:port>', 'where port b listens', parsePortal, {
      address: '127.0.0.1',
      port: 3261,
    })
    .option(
      '--chap <user:file>',
      'initiators must log in as this user; the file holds the secret',
      parseUserFile,
    )
    .option('--chap-mutual <user:file>', 'and the target proves itself to them with this one', parseUserFile)
    .option('--disks <dir>', 'keep the disks as sparse raw images in this folder')
    .option('--firmware <file>', 'run this firmware image on both boards')
    .addOption(jsonOption('one line when it is ready, then one line an event, all JSON,'))
    .addHelpText(
      'after',
      `
Orders, on the console or by sparecore ctl from elsewhere:
${orderHelp()
  .map((line) => `  ${line}`)
  .join('\n')}

Examples:
  $ sparecore serve                                   then: iscsi-ls -s iscsi://127.0.0.1
  $ sparecore serve --portal-a 127.0.0.1:0 --portal-b 127.0.0.1:0 --json
  $ sparecore serve --portal-a 192.0.2.7:3260 --portal-b 192.0.2.7:3261 --chap me:secret.txt
  $ sparecore ctl panic a
Addresses other than loopback need --chap. A free disk serves as fast as the host can, unless the scenario gives it
access_us or rate_mb_s; the boards' disks take the time that the scenario says.
${EXIT_CODE_HELP}`,
    )
    .action(async (name: string, flags: ServeFlags) => {
      process.exitCode = await serve(name, flags);
    });

async function serve(name: string, flags: ServeFlags): Promise<number> {
  const scenario = loadScenario(name);
  const console = flags.json === true ? jsonConsole() : lineConsole();
  const serving = await Serving.start({
    scenario,
    host: realHost(),
    portals: [flags.portalA, flags.portalB],
    chap: secretsOf(flags),
    disksDir: flags.disks,
    firmware: flags.firmware,
    onEvent: (event) => console.event(event),
  });
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const obey = (line: string): Answer => {
    const order = parseOrder(line, scenario.disks);
    switch (order.kind) {
      case 'refused':
        return { ok: false, text: order.why };
      case 'help':
        return { ok: true, text: orderHelp().join('\n') };
      case 'status':
        return { ok: true, status: serving.status() };
      case 'quit':
        end();
        return { ok: true, text: 'ends' };
      case 'event':
        serving.order(line.trim(), order.event);
        return { ok: true };
    }
  };
  const control = await listenForOrders(obey);
  console.ready({ ready: true, shelf: serving.ports, control: control.path });
  console.listen(obey, end);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end);
  await ended;
  console.close();
  control.close();
  await serving.close();
  return serving.violations.length === 0 ? EXIT_OK : EXIT_FAILED;
}

function secretsOf({ chap, chapMutual }: ServeFlags): ChapSecrets | null {
  if (chap === undefined) {
    if (chapMutual === undefined) return null;
    throw new InputError('--chap-mutual goes with --chap', EXIT_BAD_SECRET);
  }
  return {
    user: chap.user,
    secret: secretOf(chap.file),
    ...(chapMutual === undefined
      ? {}
      : { mutual: { user: chapMutual.user, secret: secretOf(chapMutual.file) } }),
  };
}

/** The first line of the file; [RFC 7143] 9.2.1 asks for 96 bits at least. */
function secretOf(file: string): string {
  const no = (what: string): never => {
    throw new InputError(`${file}: ${what}`, EXIT_BAD_SECRET);
  };
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return no('no such file; it must hold the CHAP secret');
  if (!stat.isFile() || stat.size > 4096) return no('is not a file of one line with the CHAP secret');
  if ((stat.mode & 0o077) !== 0) return no('can be read by others; chmod 600 it');
  const secret = readFileSync(file, 'utf8').split('\n')[0]!.trimEnd();
  if (Buffer.byteLength(secret) < 12) return no('the CHAP secret must have at least 12 characters');
  return secret;
}

interface Ready {
  ready: true;
  shelf: Serving['ports'];
  control: string;
}

/** Where events are told and orders come from. */
interface OrderConsole {
  ready(ready: Ready): void;
  event(event: ServeEvent): void;
  listen(obey: (line: string) => Answer, quit: () => void): void;
  close(): void;
}

function jsonConsole(): OrderConsole {
  const put = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  let lines: Interface | null = null;
  return {
    ready: put,
    event: put,
    listen: (obey) => {
      lines = createInterface({ input: process.stdin });
      lines.on('line', (line) => put({ event: 'answer', order: line, ...obey(line) }));
    },
    close: () => {
      lines?.close();
      process.stdin.unref?.();
    },
  };
}

function lineConsole(): OrderConsole {
  const look = lookOf(process.stdout, process.env);
  const terminal = look.live && process.stdin.isTTY;
  let lines: Interface | null = null;
  const put = (text: string): void => {
    if (terminal && lines !== null) process.stdout.write('\r\x1b[K');
    process.stdout.write(`${text}\n`);
    if (terminal) lines?.prompt(true);
  };
  return {
    ready: ({ shelf, control }) => {
      for (const { port, portal, target } of shelf) put(`port ${port}  ${portal}  ${target}`);
      put(`${shelf[0]!.luns.map(({ lun, disk }) => `${lun} ${disk}`).join('  ')}`);
      put(`control  ${control}`);
      put(paint(look, 'bold', 'ready; help lists the orders'));
    },
    event: (event) => put(eventLine(event)),
    listen: (obey, quit) => {
      lines = createInterface({
        input: process.stdin,
        output: process.stdout,
        terminal,
        prompt: 'sparecore> ',
      });
      lines.on('line', (line) => {
        if (line.trim() !== '') for (const each of answerLines(obey(line))) put(each);
        else if (terminal) lines?.prompt();
      });
      lines.on('SIGINT', quit);
      if (terminal) lines.prompt();
    },
    close: () => {
      if (terminal) process.stdout.write('\r\x1b[K');
      lines?.close();
      process.stdin.unref?.();
    },
  };
}

export function answerLines({ ok, text, status }: Answer): string[] {
  if (status !== undefined) return statusLines(status as Status);
  if (text === undefined) return [];
  return [ok ? text : `refused: ${text}`];
}

function eventLine(event: ServeEvent): string {
  const at = seconds(event.at_s).padStart(10);
  switch (event.event) {
    case 'step':
      return `${at}  ${event.board}  ${event.text}`;
    case 'order':
      return `${at}  -  ${event.text}`;
    case 'violation':
      return `${at}  VIOLATED ${event.text}`;
    default:
      return `${at}  *  ${initiatorText(event)}`;
  }
}
