import { type ChildProcess, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import type { Random } from '../../src/random/random.js';
import { type Ended, journalOf, kill, start } from '../cli/command.js';
import { RedisServer, until } from './redis-server.js';

interface Launched {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

interface LaunchedWorker extends Launched {
  /** What it has said up to now. */
  said(): string;
}

const HOUR_OFF = new URL('./fixtures/hour-off.mjs', import.meta.url);

/** A worker that is silent for so long is taken for dead. */
const LEASE_SECONDS = 3;

/** A Redis, workers, and the coordinator of one run, all in real processes, to which accidents happen. */
export class Cluster {
  readonly #workers: Launched[] = [];
  readonly #others: Launched[] = [];
  #coordinator: Launched | undefined;

  private constructor(
    readonly folder: string,
    readonly redis: RedisServer,
    readonly random: Random,
    private readonly address: string,
  ) {}

  /**
   * @param folder in which the commands run
   * @param address that Redis listens on, too
   */
  static async start(folder: string, random: Random, address = '127.0.0.1'): Promise<Cluster> {
    const more = address === '127.0.0.1' ? [] : ['--bind', '127.0.0.1', address, '--protected-mode', 'no'];
    return new Cluster(folder, await RedisServer.start(...more), random, address);
  }

  get #run(): string {
    return join(this.folder, 'far');
  }

  search(args: readonly string[]): void {
    this.#coordinator = start([...args, '--out', 'far', '--redis', this.redis.url], this.folder);
  }

  worker(env: Readonly<Record<string, string>> = {}, through: readonly string[] = []): LaunchedWorker {
    const url = `redis://${through.includes('netns') ? this.address : '127.0.0.1'}:${this.redis.port}`;
    const args = ['worker', '--redis', url, '--concurrency', '1', '--lease', `${LEASE_SECONDS}`];
    const made = start(args, this.folder, env, through);
    let text = '';
    made.child.stderr?.on('data', (part) => {
      text += part;
    });
    this.#workers.push(made);
    return { ...made, said: () => text };
  }

  /** Number of results in the journal. */
  get told(): number {
    const file = join(this.#run, 'journal.jsonl');
    return existsSync(file) ? readFileSync(file, 'utf8').split('"event":"result"').length - 1 : 0;
  }

  /** Waits until the journal has that many results; an error where the coordinator ends before. */
  async untilTold(results: number): Promise<void> {
    let ended: Ended | undefined;
    void this.#coordinator?.ended.then((one) => {
      ended = one;
    });
    await until(() => this.told >= results || ended !== undefined);
    if (ended !== undefined && ended.code !== 0) throw new Error(`the coordinator ended: ${ended.stderr}`);
  }

  /** Any worker that lives. */
  get #someone(): Launched {
    const alive = this.#workers.filter(({ child }) => child.exitCode === null && child.signalCode === null);
    return alive[this.random.below(alive.length)] as Launched;
  }

  /** Another one takes its place; one that begins while Redis is away would be refused. */
  async killWorker(): Promise<void> {
    kill(this.#someone.child);
    const next = this.worker();
    await until(() => next.said().includes('waiting for children'));
  }

  /** It says nothing for longer than its lease, and then goes on as if nothing had been. */
  async freezeWorker(): Promise<void> {
    const { pid } = this.#someone.child;
    process.kill(-(pid as number), 'SIGSTOP');
    await setTimeout((2 * LEASE_SECONDS + 2) * 1000);
    process.kill(-(pid as number), 'SIGCONT');
  }

  async killCoordinator(): Promise<void> {
    const { child, ended } = this.#coordinator as Launched;
    kill(child);
    const { signal } = await ended;
    if (signal === 'SIGKILL') this.#coordinator = start(['resume', 'far'], this.folder);
  }

  async restartRedis(): Promise<void> {
    await this.redis.kill();
    await setTimeout(200 + this.random.below(2000));
    await this.redis.restart();
  }

  /** Somebody resumes a copy of the run, which is at work. Nothing happens where it has come to its end already. */
  async secondCoordinator(): Promise<void> {
    const { child } = this.#coordinator as Launched;
    cpSync(this.#run, join(this.folder, 'copy'), {
      recursive: true,
      filter: (file) => !file.includes('lock-'),
    });
    const { code, stderr } = await this.#launch(['resume', 'copy']).ended;
    if (child.exitCode !== null) return;
    expect(stderr).toMatch(/copy: process \d+ on .* coordinates this run/);
    expect(code).toBe(2);
  }

  clockOffWorker(): void {
    this.worker({ NODE_OPTIONS: `--import ${HOUR_OFF.href}` });
    kill((this.#workers[0] as Launched).child);
  }

  /** The workers that are left cannot keep a checkpoint. */
  async fullDiskWorkers(): Promise<void> {
    const trials = join(this.#run, 'trials');
    mkdirSync(trials, { recursive: true });
    for (const { child } of this.#workers) kill(child);
    const full = `mount -t tmpfs -o size=4k none '${trials}' && exec "$@"`;
    const one = this.worker({}, ['unshare', '--mount', 'sh', '-c', full, 'sh']);
    await until(() => one.said().includes(': trained '));
  }

  /** What the journal says of checkpoints that could not be kept. */
  get unkept(): readonly string[] {
    const lines = readFileSync(join(this.#run, 'journal.jsonl'), 'utf8').trimEnd().split('\n');
    return lines.flatMap((line) => JSON.parse(line).clock?.checkpoint ?? []);
  }

  /** The end of the run: how the coordinator ended, and the journal. */
  async end(): Promise<{ readonly ended: Ended; readonly journal: string[]; readonly left: string[] }> {
    const ended = await (this.#coordinator as Launched).ended;
    const client = new Redis(this.redis.port);
    const left = await client.keys('*');
    client.disconnect();
    return { ended, journal: journalOf(this.#run), left };
  }

  async stop(): Promise<void> {
    const all = [...this.#workers, ...this.#others, ...(this.#coordinator ? [this.#coordinator] : [])];
    for (const { child } of all) kill(child);
    await Promise.all(all.map(({ ended }) => ended));
    await this.redis.stop();
  }

  #launch(args: readonly string[]): Launched {
    const made = start(args, this.folder);
    this.#others.push(made);
    return made;
  }
}

/** Whether this process may make network namespaces: a machine's own root. */
export const mayCutNetworks = spawnSync('ip', ['netns', 'list']).status === 0 && process.getuid?.() === 0;
