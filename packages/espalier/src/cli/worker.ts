import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { PASSWORD_VARIABLE, REDIS_FORM, redisAddress } from '../queue/redis-address.js';
import { requireDevice } from '../tasks/device.js';
import { interruptible } from '../terminal/interruption.js';
import { openTerminal } from '../terminal/terminal.js';
import { positiveNumber, wholeNumber } from './options.js';

interface WorkerFlags {
  readonly redis: string;
  readonly concurrency?: number;
  readonly device?: readonly string[];
  readonly data?: readonly string[];
  readonly code?: readonly string[];
  readonly lease: number;
  readonly grace: number;
}

/** A worker that is silent for so long is taken for dead: the lock of BullMQ. */
const LEASE_SECONDS = 30;

/** Kubernetes kills 30 seconds after SIGTERM. */
const GRACE_SECONDS = 10;

const collect = (word: string, before: readonly string[] = []) => [...before, word];

const about = `
A worker trains children of every search in the Redis (espalier search --redis URL) for which it has the same version of
Espalier, the same data, and the same files of code. Where the folder of a search is here too, on shared storage, a child
that another worker has begun goes on from its checkpoint. It runs no code but its own and that of --code.

SIGTERM or Ctrl-C: no child is taken any more, those that are being trained may end within --grace, and the others are given
back. Once more: at once. A password in ${PASSWORD_VARIABLE} does not stand in the list of processes.`;

export function addWorker(program: Command): void {
  program
    .command('worker')
    .description('train children of the searches in a Redis, until it is stopped')
    .requiredOption('--redis <url>', REDIS_FORM)
    .option(
      '--concurrency <n>',
      'children at a time (default: one for each processor, or each device)',
      wholeNumber(1),
    )
    .option(
      '--device <list>',
      'devices of the children, one after the other and over again: cpu, or cuda:0,cuda:1 (default: that of the training)',
      (text: string) => text.split(','),
    )
    .option(
      '--data <kind:path>',
      'where data is on this machine, if not where the search has it; its checksum decides; repeatable',
      collect,
    )
    .option(
      '--code <file>',
      "a user's space or task that searches may name; its checksum decides; repeatable",
      collect,
    )
    .option(
      '--lease <seconds>',
      'when this worker has been silent for so long, its children are given to others',
      positiveNumber,
      LEASE_SECONDS,
    )
    .option(
      '--grace <seconds>',
      'when it is stopped, children may end within so long; the others are given back',
      wholeNumber(0),
      GRACE_SECONDS,
    )
    .addHelpText('after', about)
    .action(work);
}

async function work(flags: WorkerFlags): Promise<void> {
  const { redis, device = [], data = [], code = [], lease, grace } = flags;
  const terminal = openTerminal(false);
  for (const one of device) requireDevice(one);
  const address = redisAddress(redis);
  // The clients of Redis take longer to load than many a command takes in all.
  const { QueueWorker } = await import('../queue/queue-worker.js');
  const worker = new QueueWorker({
    address,
    slots: flags.concurrency ?? (device.length || availableParallelism()),
    devices: device,
    code,
    data,
    leaseSeconds: lease,
    graceSeconds: grace,
    say: (text) => terminal.line(text),
  });
  const { signal, done } = interruptible(terminal);
  try {
    await worker.work(signal);
  } finally {
    done();
  }
}
