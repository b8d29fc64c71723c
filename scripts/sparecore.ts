import { Command } from 'commander';

const program = new Command('sparecore');
program.description('An HA pair of storage controllers that dumps and takes over at the same time');
program
  .command('run')
  .description('run the pair in the emulator')
  .action(() => {
    console.log('sparecore run: to come');
  });
program
  .command('bench')
  .description('measure the speed of the dump')
  .action(() => {
    console.log('sparecore bench: to come');
  });
await program.parseAsync();
