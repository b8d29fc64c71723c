// What a run is going to be: printed before it, because the plan is the experiment.
import type { Progress } from '../../boards/result.ts';
import type { EventConfig, LeftoverConfig, Scenario } from '../../boards/scenario.ts';
import { bytes, plural, ranges, seconds } from './format.ts';

export function plan(scenario: Scenario): string[] {
  const { boards, disks, clients } = scenario;
  const volumes = disks.filter(({ volume }) => volume !== null).length;
  const giveback =
    boards.givebackMs === null ? 'no giveback' : `giveback after ${seconds(boards.givebackMs / 1000)}`;
  return [
    `two boards of ${bytes(boards.memoryMib * 2 ** 20)}, ${plural(disks.length, 'disk')}, ` +
      `${plural(volumes, 'volume')}, ${plural(volumes * clients.perVolume, 'client')}`,
    `takeover ${scenario.policy}, dump limit ${seconds(boards.dumpLimitMs / 1000)}, ${giveback}`,
    ...scenario.leftover.map(leftoverText),
    ...scenario.events.map(eventText),
  ];
}

const leftoverText = ({ disks, board, epoch }: LeftoverConfig): string =>
  `at power-on: ${disks === 'all' ? 'all disks' : ranges(disks)} reserved by board ${board} of epoch ${epoch}`;

function eventText(event: EventConfig): string {
  const { atMs, on, plusMs } = event;
  const plus = plusMs > 0 ? `${seconds(plusMs / 1000)} after ` : 'at ';
  return `${atMs === null ? `${plus}the first ${on}` : `at ${seconds(atMs / 1000)}`}: ${actionText(event)}`;
}

function actionText({ do: action, board, disk, path, factor }: EventConfig): string {
  const details = [
    ...(board === null ? [] : [`board ${board}`]),
    ...(disk === null
      ? []
      : [disk.startsWith('coredump-of-') ? `the coredump disk of board ${disk.at(-1)}` : disk]),
    ...(path === null ? [] : [`path ${path}`]),
    ...(factor === null ? [] : [`${factor} times`]),
  ];
  return [action, ...details].join(', ');
}

/** Adds what the scenario does at a set time to the steps that boards report, in the order of time. */
export function withEvents(scenario: Scenario): (progress: Progress) => Progress {
  const coming = scenario.events
    .filter(({ atMs }) => atMs !== null)
    .toSorted((one, other) => (one.atMs ?? 0) - (other.atMs ?? 0));
  return (progress) => {
    const due: string[] = [];
    while (coming[0] !== undefined && (coming[0].atMs ?? 0) / 1000 <= progress.now_s) {
      const event = coming.shift();
      if (event !== undefined) due.push(`${((event.atMs ?? 0) / 1000).toFixed(6)} - ${actionText(event)}`);
    }
    if (due.length === 0) return progress;
    // Sorting is stable: what the scenario does stands before what comes of it.
    const log = [...due, ...progress.log].toSorted((one, other) => parseFloat(one) - parseFloat(other));
    return { ...progress, log };
  };
}
