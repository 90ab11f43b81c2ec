import { setThreads } from '@espalier/torch';
import type { Command } from 'commander';
import { PASSWORD_VARIABLE, REDIS_FORM, redisAddress } from '../queue/redis-address.js';
import { interruptible } from '../terminal/interruption.js';
import { openTerminal } from '../terminal/terminal.js';
import { wholeNumber } from './options.js';

interface ReplicaFlags {
  readonly redis: string;
  readonly replicas: number;
  readonly code?: readonly string[];
}

const about = `
A replica draws its m children with the newest parameters, waits for their rewards, and pushes its gradient to the shards of
the parameter server in Redis (Zoph & Le 2016, figure 3). Replicas may come, go and die: what one has drawn stands in Redis,
and another goes on with it. A password may stand in ${PASSWORD_VARIABLE}.`;

export function addReplica(program: Command): void {
  program
    .command('replica')
    .description('run replicas of the controller of a search: search --redis URL --remote-replicas')
    .argument('<run>', 'run folder, or the id that the search says')
    .requiredOption('--redis <url>', REDIS_FORM)
    .option('--replicas <n>', 'replicas in this process', wholeNumber(1), 1)
    .option(
      '--code <file>',
      "a user's space that the search names; its checksum decides; repeatable",
      (word: string, before: readonly string[] = []) => [...before, word],
    )
    .addHelpText('after', about)
    .action(async (run: string, { redis, replicas, code = [] }: ReplicaFlags) => {
      const terminal = openTerminal(false);
      const address = redisAddress(redis);
      // The clients of Redis take longer to load than many a command takes in all.
      const { workAsReplicas } = await import('../queue/replicas-at-work.js');
      setThreads(1);
      const { signal, done } = interruptible(terminal);
      try {
        await workAsReplicas({ address, run, replicas, code, say: (text) => terminal.line(text) }, signal);
      } finally {
        done();
      }
    });
}
