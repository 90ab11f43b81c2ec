import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe } from 'vitest';

const isMissing = spawnSync('redis-server', ['--version']).error !== undefined;

/** Tests that need a Redis; skipped, with the reason, where there is none to start. */
export function describeWithRedis(name: string, tests: () => void): void {
  describe.skipIf(isMissing)(isMissing ? `${name} (redis-server is not installed)` : name, tests);
}

/** A Redis of a test's own, on a free port and with a folder of its own. */
export class RedisServer {
  #process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly settings: readonly string[],
  ) {}

  /** @param settings more of its command line, such as `--requirepass secret` */
  static async start(...settings: string[]): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), 'espalier-redis-'));
    const server = new RedisServer(await freePort(), folder, settings);
    await server.restart();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it again after `kill`, with the data that is on its disk. */
  async restart(): Promise<void> {
    this.#process = spawn(
      'redis-server',
      [
        ...['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.folder, '--save', ''],
        ...['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'],
        ...this.settings,
      ],
      { stdio: 'ignore' },
    );
    const client = new Redis(this.port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null });
    client.on('error', () => {});
    // With a password it answers too, that one is missing.
    await client.ping().catch(() => {});
    client.disconnect();
  }

  async kill(): Promise<void> {
    const { exitCode } = this.#process as ChildProcess;
    if (exitCode !== null) return;
    this.#process?.kill('SIGKILL');
    await once(this.#process as ChildProcess, 'exit');
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

/** Waits until something is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await setTimeout(20);
}
