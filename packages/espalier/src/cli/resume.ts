import type { Command } from 'commander';
import { InputError } from '../input-error.js';
import { kindOf } from '../kinds/kinds-of-run.js';
import { REDIS_FORM } from '../queue/redis-address.js';
import type { Amendments } from '../runs/amendments.js';
import { changedEnvironment } from '../runs/environment-difference.js';
import { RunFolder } from '../runs/run-folder.js';
import { openTerminal } from '../terminal/terminal.js';
import { positiveNumber, wholeNumber } from './options.js';
import { addPeerFlags, meetingOf, type PeerFlags } from './peer-flags.js';
import { say } from './say.js';

interface ResumeFlags extends PeerFlags {
  readonly data?: string;
  readonly trials?: number;
  readonly epochs?: number;
  readonly timeout?: number;
  readonly retryFailed: boolean;
  readonly redis?: string | false;
  readonly json: boolean;
}

export function addResume(program: Command): void {
  addPeerFlags(program.command('resume'))
    .description('go on with a search, a training or an evaluation that was stopped or killed')
    .argument('<folder>', 'run folder')
    .option('--data <kind:path>', 'where its data is now, if not where it was; its checksum decides')
    .option(
      '--trials <n>',
      'of a search: trials in all, from now on; also of one that is finished',
      wholeNumber(1),
    )
    .option(
      '--epochs <n>',
      'of a training: epochs in all, where the learning rate does not fall over all of them; also of one that is finished',
      wholeNumber(1),
    )
    .option(
      '--timeout <seconds>',
      'of a search: a child that takes longer has failed, from now on',
      positiveNumber,
    )
    .option(
      '--retry-failed',
      'of a search: try the children again that have failed; the strategy is not told a second time',
      false,
    )
    .option(
      '--redis <url>',
      `of a search: train its children by the workers of this Redis: ${REDIS_FORM} (default: that with which it was begun)`,
    )
    .option('--no-redis', 'of a search: train its children on this machine')
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, flags: ResumeFlags) => {
      const { data, trials, epochs, timeout: timeoutSeconds, retryFailed, redis, json } = flags;
      const terminal = openTerminal(json);
      const changed = changedEnvironment(RunFolder.open(path).manifest);
      if (changed !== undefined) terminal.line(`note: ${changed}`);
      const amend: Amendments = { trials, epochs, timeoutSeconds, retryFailed };
      const kind = kindOf(path);
      const meeting = meetingOf(flags);
      if (meeting !== undefined && kind.hasPeers !== true)
        throw new InputError(`--address and --peer-timeout: ${path} is a ${kind.name}; allowed: a training`);
      say(await kind.goOn(path, terminal, { data, redis, amend, meeting }), terminal);
    });
}
