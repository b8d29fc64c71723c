import { Command } from 'commander';
import { loadScenario, shippedScenarios } from '../../boards/scenario-file.ts';
import { print } from './show.ts';

export const scenariosCommand = (): Command =>
  new Command('scenarios')
    .summary('list the scenarios that sparecore ships')
    .description('Lists the scenarios that sparecore ships, by name and by what happens in each.')
    .option('--json', 'print a list of {"name", "title"} and nothing else')
    .action((flags: { json?: true }) => {
      const all = shippedScenarios().map((name) => ({ name, title: loadScenario(name).title }));
      const width = Math.max(...all.map(({ name }) => name.length));
      if (flags.json === true) print([JSON.stringify(all)]);
      else print(all.map(({ name, title }) => `${name.padEnd(width)}  ${title}`));
    });
