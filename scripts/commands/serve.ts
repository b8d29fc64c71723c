import { Command, InvalidArgumentError } from 'commander';
import { realHost } from '../../boards/host.ts';
import { orderHelp, parseOrder } from '../../boards/operator.ts';
import { loadScenario } from '../../boards/scenario-file.ts';
import { type Portal, Serving } from '../../boards/serving.ts';
import { type UserFile, secretsOf } from '../chap-file.ts';
import { type Answer, listenForOrders } from '../control-socket.ts';
import { EXIT_CODE_HELP, EXIT_FAILED, EXIT_OK } from '../exit-codes.ts';
import { tellError } from '../tell-error.ts';
import { jsonConsole, lineConsole } from '../order-console.ts';
import { type BoardFlags, boardOptions, jsonOption } from './options.ts';

interface ServeFlags extends BoardFlags {
  json?: true;
  portalA: Portal;
  portalB: Portal;
  chap?: UserFile;
  chapMutual?: UserFile;
  disks?: string;
  firmware?: string;
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
    .addOption(boardOptions()[0])
    .addOption(boardOptions()[1])
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
  // From the very beginning: who reads that it is ready may end it at once, and the folder of disks is then let go.
  const { promise: ended, resolve: end } = withResolvers();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end);
  // What fails in a timer or a socket has nobody above it who could tell of it: a full file system, for instance.
  process.once('uncaughtException', (error) => {
    console.close();
    process.exit(tellError(error));
  });
  const serving = await Serving.start({
    scenario,
    host: realHost(),
    portals: [flags.portalA, flags.portalB],
    chap: secretsOf(flags.chap, flags.chapMutual),
    disksDir: flags.disks,
    firmware: flags.firmware,
    attached: [flags.boardA ?? null, flags.boardB ?? null],
    onEvent: (event) => console.event(event),
  });
  const obey = (line: string): Answer => {
    const debug = serving.debug(line);
    if (debug !== null) return debug;
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
  const control = await listenForOrders(obey).catch(async (error: unknown) => {
    console.close(); // else the portals would keep a pair alive that takes no orders
    await serving.close();
    throw error;
  });
  console.ready({ ready: true, shelf: serving.ports, control: control.path });
  console.listen(obey, end);
  await ended;
  console.close();
  control.close();
  await serving.close();
  return serving.violations.length === 0 ? EXIT_OK : EXIT_FAILED;
}

/** As Promise.withResolvers, which Node 20 has not. */
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  const made: { resolve?: () => void } = {};
  const promise = new Promise<void>((resolve) => (made.resolve = resolve));
  return { promise, resolve: () => made.resolve?.() };
}
