import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process that no later one can be mistaken for: pids are used again, also after the machine was restarted. */
export interface ProcessIdentity {
  readonly host: string;
  /** Differs after every start of the machine; empty where the system has none. */
  readonly boot: string;
  /** Pids mean the same within one of these (a container has its own); empty where the system has none. */
  readonly namespace: string;
  readonly pid: number;
  readonly started: string;
}

export function thisProcess(): ProcessIdentity {
  return { ...thisMachine(), pid: process.pid, started: startOf(process.pid) ?? '' };
}

/** Whether the process is at work still; 'unknown' for one of another machine or container. */
export function isAlive(identity: ProcessIdentity): boolean | 'unknown' {
  const { host, boot, namespace } = thisMachine();
  if (identity.boot !== boot) return identity.host === host ? false : 'unknown';
  if (identity.namespace !== namespace || (boot === '' && identity.host !== host)) return 'unknown';
  return startOf(identity.pid) === identity.started;
}

function thisMachine(): Pick<ProcessIdentity, 'host' | 'boot' | 'namespace'> {
  return {
    host: hostname(),
    boot: orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespace: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
  };
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

/** When the process began, in the system's own terms; undefined for one that is gone or only not yet reaped. */
function startOf(pid: number): string | undefined {
  return process.platform === 'linux' ? startFromProc(pid) : startFromPs(pid);
}

function startFromProc(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // proc(5): the second field is the name in brackets, which may hold anything; state is the third, starttime the 22nd.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return isGone(fields[0]) ? undefined : fields[19];
}

function startFromPs(pid: number): string | undefined {
  let line: string;
  try {
    line = execFileSync('ps', ['-o', 'state=,lstart=', '-p', `${pid}`], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
  return isGone(line) ? undefined : line.slice(line.indexOf(' ') + 1).trim();
}

/** A killed process whose parent has not asked for its exit code yet is a zombie: it writes nothing any more. */
function isGone(state: string | undefined): boolean {
  return state === undefined || /^[ZXx]/.test(state) || state === '';
}
