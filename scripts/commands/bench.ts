import { Argument, Command } from 'commander';
import { loadScenario } from '../../boards/scenario-file.ts';
import { benchDeviceServer, deviceServerLines } from '../bench/device-server.ts';
import { benchDump } from '../bench/dump/bench.ts';
import { dumpTable } from '../bench/dump/table.ts';
import { benchDigest, digestLines } from '../bench/digest.ts';
import { benchFlash, flashLines } from '../bench/flash.ts';
import { benchIscsi, iscsiLines } from '../bench/iscsi.ts';
import { benchLink, linkLines } from '../bench/link.ts';
import { benchOutage, outageTable } from '../bench/outage.ts';
import { benchRig, rigLines } from '../bench/rig.ts';
import { benchSmall, benchStandard, speedLines } from '../bench/speed.ts';
import { EXIT_FAILED, EXIT_OK } from '../exit-codes.ts';
import { benchDumpCommand } from './bench-dump.ts';
import { jsonOption } from './options.ts';
import { print } from './show.ts';

interface Measured {
  data: { ok: boolean };
  lines: string[];
}

const say = (line: string): void => {
  if (process.stderr.isTTY) console.error(line);
};

/** In `sparecore bench dump` there is all of it. */
const SHORT_DUMP = {
  memory: [128],
  contents: ['mixed'],
  codecs: ['sparse', 'lz4'],
  media: ['memory', 'tmpfs'],
  rounds: 3,
  image: null,
  goals: false,
  qemu: false,
} as const;

/** Speed first, while the process holds little. */
const BENCHES: Readonly<Record<string, () => Promise<Measured>>> = {
  small: async () => {
    const data = await benchSmall(loadScenario('small'));
    return { data, lines: speedLines(data) };
  },
  standard: async () => {
    const data = await benchStandard(loadScenario('standard'));
    return { data, lines: speedLines(data) };
  },
  digest: async () => {
    const data = await benchDigest(loadScenario('small'));
    return { data, lines: digestLines(data) };
  },
  disks: async () => {
    const rows = benchDeviceServer();
    return { data: { rows, ok: rows.every(({ ok }) => ok) }, lines: deviceServerLines(rows) };
  },
  link: async () => {
    const data = benchLink();
    return { data, lines: linkLines(data) };
  },
  rig: async () => {
    const data = await benchRig({ ...loadScenario('small'), endMs: 450 }, say);
    return { data, lines: rigLines(data) };
  },
  dump: async () => {
    const data = await benchDump(SHORT_DUMP, say);
    return { data, lines: dumpTable(data) };
  },
  iscsi: async () => {
    const data = await benchIscsi(say);
    return { data, lines: iscsiLines(data) };
  },
  flash: async () => {
    const data = await benchFlash(say);
    return { data, lines: flashLines(data) };
  },
  outage: async () => {
    const data = await benchOutage(loadScenario('standard'), say);
    return { data, lines: outageTable(data) };
  },
};

export const benchCommand = (): Command =>
  new Command('bench')
    .enablePositionalOptions()
    .summary('measure outage against memory, host time, and repeatability')
    .description(
      'Measures outage against the size of memory, the host time of runs, and whether runs repeat. ' +
        'The boards of the outage bench have up to 4 GiB of memory: it takes minutes and up to 16 GiB of the host.',
    )
    .addArgument(
      new Argument('[what]', 'one of them; default: all but rig, which needs QEMU').choices(
        Object.keys(BENCHES),
      ),
    )
    .addCommand(benchDumpCommand())
    .addOption(jsonOption('the numbers as one JSON object'))
    .addHelpText('after', '\nExit codes: 0 all within their limits, 1 not.')
    .action(async (what: string | undefined, flags: { json?: true }) => {
      process.exitCode = await bench(
        what === undefined ? Object.keys(BENCHES).filter((name) => name !== 'rig') : [what],
        flags.json === true,
      );
    });

async function bench(names: readonly string[], json: boolean): Promise<number> {
  const found: Record<string, { ok: boolean }> = {};
  for (const name of names) {
    const measured = await BENCHES[name]?.();
    if (measured === undefined) continue;
    found[name] = measured.data;
    if (!json) print([...(Object.keys(found).length > 1 ? [''] : []), ...measured.lines]);
  }
  if (json) print([JSON.stringify(found)]);
  return Object.values(found).every(({ ok }) => ok) ? EXIT_OK : EXIT_FAILED;
}
