import { Command } from 'commander';
import { scenarioJsonSchema } from '../../boards/scenario-schema.ts';
import { print } from './show.ts';

export const schemaCommand = (): Command =>
  new Command('schema')
    .summary('print the JSON Schema of scenario files')
    .description('Prints the JSON Schema of scenario files, for editors and other programs.')
    .addHelpText('after', '\nExample:\n  $ sparecore schema > schema.json')
    .action(() => print([JSON.stringify(scenarioJsonSchema(), null, 2)]));
