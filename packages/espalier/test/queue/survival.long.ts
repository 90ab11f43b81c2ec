import { execFileSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Random } from '../../src/random/random.js';
import { mayCutNetworks } from './cluster.js';
import { describeWithRedis, until } from './redis-server.js';
import { type Accident, survives } from './survival.js';

const TIMEOUT = 1_200_000;

const ACCIDENTS: readonly Accident[] = [
  (cluster) => cluster.killWorker(),
  (cluster) => cluster.killCoordinator(),
  (cluster) => cluster.restartRedis(),
  (cluster) => cluster.freezeWorker(),
  (cluster) => cluster.secondCoordinator(),
];

const ip = (...words: string[]) => execFileSync('ip', words);

describeWithRedis('a search over many machines, at length', () => {
  it.each([2, 3, 4])(
    'survives accidents in any order: seed %i',
    async (seed) => {
      const random = Random.of(seed, 'order');
      const order = [...random.permutation(ACCIDENTS.length), ...random.permutation(ACCIDENTS.length)];
      await survives(
        seed,
        order.map((place) => ACCIDENTS[place] as Accident),
      );
    },
    TIMEOUT,
  );

  describe.skipIf(!mayCutNetworks)('as root, with namespaces', () => {
    it(
      'survives workers whose disks are full',
      async () => {
        const strategy = ['asha', '--set', 'eta=2', '--epochs', '4'];
        const cluster = await survives(5, [(one) => one.fullDiskWorkers()], { trials: 6, strategy });
        expect(cluster.unkept.length).toBeGreaterThan(0);
        for (const reason of cluster.unkept) expect(reason).toMatch(/^not kept: .*no space left on device/i);
      },
      TIMEOUT,
    );

    it(
      'survives a network that is cut for half a minute',
      async () => {
        const [name, ours, theirs] = ['espalier-cut', 'espalier-a', 'espalier-b'];
        const [here, there] = ['10.231.77.1', '10.231.77.2'];
        ip('netns', 'add', name);
        onTestFinished(() => void ip('netns', 'delete', name));
        ip('link', 'add', ours, 'type', 'veth', 'peer', 'name', theirs, 'netns', name);
        ip('addr', 'add', `${here}/24`, 'dev', ours);
        ip('link', 'set', ours, 'up');
        ip('-n', name, 'addr', 'add', `${there}/24`, 'dev', theirs);
        ip('-n', name, 'link', 'set', theirs, 'up');
        await survives(
          6,
          [
            async (cluster) => {
              const cut = cluster.worker({}, ['ip', 'netns', 'exec', name]);
              await until(() => cut.said().includes(': trained '));
            },
            async (cluster) => {
              await cluster.untilTold(5);
              ip('-n', name, 'link', 'set', theirs, 'down');
              await setTimeout(30_000);
              ip('-n', name, 'link', 'set', theirs, 'up');
            },
          ],
          { trials: 24, workers: 1, address: here },
        );
      },
      TIMEOUT,
    );
  });
});
