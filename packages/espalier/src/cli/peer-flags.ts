import type { Command } from 'commander';
import { type Address, type MeetingOptions, PEER_TIMEOUT_SECONDS } from '../experiments/processes.js';
import { InputError } from '../input-error.js';
import { positiveNumber } from './options.js';

/** How the processes that train one network find each other. */
export interface PeerFlags {
  readonly address?: Address;
  readonly peerTimeout?: number;
}

export function addPeerFlags(command: Command): Command {
  return command
    .option(
      '--address <host:port>',
      'with --processes: where this machine, or the first process, waits for the others (default: all on this machine)',
      addressOf,
    )
    .option(
      '--peer-timeout <seconds>',
      `with --processes: how long to wait for a process that does not answer (default: ${PEER_TIMEOUT_SECONDS})`,
      positiveNumber,
    );
}

function addressOf(text: string): Address {
  const [, host = '', digits = ''] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (host === '' || port < 1 || port > 65535)
    throw new InputError(`--address ${text}: allowed: HOST:PORT, a port from 1 to 65535`);
  return { host, port };
}

/** How the flags say that processes meet; undefined where they say nothing. */
export function meetingOf({ address, peerTimeout }: PeerFlags): MeetingOptions | undefined {
  if (address === undefined && peerTimeout === undefined) return undefined;
  return { address, timeoutSeconds: peerTimeout ?? PEER_TIMEOUT_SECONDS };
}
