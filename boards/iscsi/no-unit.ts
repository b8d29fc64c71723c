/** A command for a logical unit that does not exist: the target answers itself, [SAM-5] 5.11. */
import { scatter } from '../shelf/task.ts';
import type { Command } from './command.ts';

export function noUnit(command: Command): void {
  const { servers } = command.session.around.shelf;
  const result = servers.executeAbsent(command.cdb, command.bytes, command.direction);
  command.state = 'over';
  command.status = result.status;
  command.sense = result.sense;
  command.moved = result.moved;
  command.residual = command.bytes - result.moved;
  command.overflow = result.overflow;
  if (result.moved > 0) {
    command.reply = servers.parameterData(result.moved);
    command.room();
    scatter(command, 0, command.reply, 0, result.moved);
  }
  if (!command.receiving) command.finish();
}
