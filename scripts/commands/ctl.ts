import { Command } from 'commander';
import { orderHelp } from '../../boards/operator.ts';
import { giveOrder } from '../control-socket.ts';
import { EXIT_CODE_HELP, EXIT_OK, EXIT_REFUSED } from '../exit-codes.ts';
import { answerLines } from '../order-console.ts';
import { jsonOption } from './options.ts';

import { print } from './show.ts';

interface CtlFlags {
  control?: string;
  json?: true;
}

export const ctlCommand = (): Command =>
  new Command('ctl')
    .summary('give an order to a pair that sparecore serve runs')
    .description('Gives one order to a pair that sparecore serve runs, and prints what came of it.')
    .argument('<order...>', 'words of the order, for instance: panic a')
    .option('--control <path>', 'control socket of that pair (default: of the only one that is served)')
    .addOption(jsonOption('the answer as one JSON object'))
    .addHelpText(
      'after',
      `
Orders:
${orderHelp()
  .map((line) => `  ${line}`)
  .join('\n')}
${EXIT_CODE_HELP}`,
    )
    .action(async (words: string[], flags: CtlFlags) => {
      const answer = await giveOrder(words.join(' '), flags.control ?? null);
      if (flags.json === true) print([JSON.stringify(answer)]);
      else if (answer.ok) print(answerLines(answer));
      else console.error(`sparecore: ${answer.text}`);
      process.exitCode = answer.ok ? EXIT_OK : EXIT_REFUSED;
    });
