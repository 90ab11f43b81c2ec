import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { Random } from '../../src/random/random.js';
import { journalOf, run } from '../cli/command.js';
import { writeTinyCifar10 } from '../cli/tiny-cifar10.js';
import { temporaryFolder } from '../runs/temporary-folder.js';
import { Cluster } from './cluster.js';
import { until } from './redis-server.js';

export type Accident = (cluster: Cluster) => Promise<void> | void;

/**
 * Runs a search over workers to which accidents happen, one after the other at random moments, and expects what it would have
 * come to on one machine without any: the same journal, so no trial lost and none counted twice.
 *
 * @param address that Redis listens on, besides the usual one
 * @param strategy and its options, as on the command line
 * @returns the cluster, with the run in its folder
 */
export async function survives(
  seed: number,
  accidents: readonly Accident[],
  {
    trials = 4 * accidents.length + 4,
    workers = 2,
    address = '127.0.0.1',
    strategy = ['reinforce', '--set', 'children=2', '--epochs', '2'],
  } = {},
): Promise<Cluster> {
  const folder = temporaryFolder();
  writeTinyCifar10(join(folder, 'cifar'));
  const random = Random.of(seed, 'accidents');
  const cluster = await Cluster.start(folder, random, address);
  onTestFinished(() => cluster.stop());
  const search = [
    ...['search', '--space', 'zoph-cnn', '--data', 'cifar10:cifar', '--strategy', ...strategy],
    ...['--preset', 'small', '--limit', '200', '--batch-size', '20'],
    ...['--trials', `${trials}`, '--seed', `${seed}`, '--workers', '2', '--deterministic'],
  ];
  const begun = Array.from({ length: workers }, () => cluster.worker());
  await until(() => begun.every(({ said }) => said().includes('waiting for children')));
  cluster.search(search);
  for (const [place, happen] of accidents.entries()) {
    await cluster.untilTold(1 + 2 * place + random.below(2));
    await happen(cluster);
  }
  const { ended, journal, left } = await cluster.end();
  expect({ code: ended.code, stderr: ended.code === 0 ? '' : ended.stderr }).toEqual({ code: 0, stderr: '' });
  expect((await run([...search, '--out', 'near'], folder)).code).toBe(0);
  expect(journal).toEqual(journalOf(join(folder, 'near')));
  expect(left).toEqual([]);
  return cluster;
}
