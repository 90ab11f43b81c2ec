/**
 * What the queue and the shards in Redis carry. Children only wait, so a machine can pretend to have hundreds of them; all else
 * is real: Redis, BullMQ, worker processes, the journal on the disk.
 *
 *     npm run bench:scale                                              800 children at a time, 100,000 trials of 10 s: 21 minutes
 *     npm run bench:scale -- --trials 3000 --children 200 --seconds 4  less of it
 *     npm run bench:scale -- --only updates                            the shards of the parameter server alone
 *
 * It needs redis-server, and starts its own.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { children } from './scale/children.mjs';
import { updates } from './scale/updates.mjs';

const PARTS = { children, updates };

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    trials: { type: 'string', default: '100000' },
    children: { type: 'string', default: '800' },
    seconds: { type: 'string', default: '10' },
    workers: { type: 'string', default: '4' },
    port: { type: 'string', default: '6479' },
    json: { type: 'boolean', default: false },
  },
});
const { only, json } = values;
if (only !== undefined && !(only in PARTS)) {
  console.error(`--only ${only}: allowed: ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'espalier-scale-'));
const settings = {
  folder,
  url: `redis://127.0.0.1:${values.port}`,
  trials: Number(values.trials),
  children: Number(values.children),
  seconds: Number(values.seconds),
  workers: Number(values.workers),
};
const redis = spawn(
  'redis-server',
  ['--port', values.port, '--dir', folder, '--save', '', '--appendonly', 'yes'],
  { stdio: 'ignore' },
);
const figures = {};
try {
  const client = new Redis(Number(values.port));
  client.on('error', () => {}); // until it answers
  await client.ping();
  for (const [name, measure] of Object.entries(PARTS)) {
    if (only !== undefined && only !== name) continue;
    figures[name] = await measure(settings, client, (line) => (json ? console.error : console.log)(line));
  }
  client.disconnect();
} finally {
  redis.kill('SIGKILL');
  rmSync(folder, { recursive: true });
}
if (json) console.log(JSON.stringify(only === undefined ? figures : figures[only]));
