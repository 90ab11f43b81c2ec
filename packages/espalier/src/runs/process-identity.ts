import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Identifies a process uniquely. A pid alone does not, because the system reuses pids, also after a restart. */
export interface ProcessIdentity {
  readonly host: string;
  /** Differs after every start of the machine; empty if the system does not provide it. */
  readonly boot: string;
  /** The namespace of the pid: a container has its own. Empty if the system does not provide it. */
  readonly namespace: string;
  readonly pid: number;
  readonly started: string;
}

export function thisProcess(): ProcessIdentity {
  return { ...thisMachine(), pid: process.pid, started: startOf(process.pid) ?? '' };
}

/** Whether the process is still running; 'unknown' for a process of another machine or container. */
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

/** When the process began, as the system expresses it; undefined for one that has ended, whether reaped or not. */
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
  // proc(5): the second field is the name in parentheses, which may contain any character. The state is the third field,
  // starttime the 22nd.
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

/** A zombie counts as ended: it was killed, writes nothing any more, and only waits for its parent to reap it. */
function isGone(state: string | undefined): boolean {
  return state === undefined || /^[ZXx]/.test(state) || state === '';
}
