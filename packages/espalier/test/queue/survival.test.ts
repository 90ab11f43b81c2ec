import { it } from 'vitest';
import { describeWithRedis } from './redis-server.js';
import { survives } from './survival.js';

describeWithRedis('a search over many machines', () => {
  it('loses nothing and counts nothing twice, whatever happens to its parts', async () => {
    await survives(1, [
      // First: the search is at work for certain.
      (cluster) => cluster.secondCoordinator(),
      (cluster) => cluster.freezeWorker(),
      (cluster) => cluster.restartRedis(),
      (cluster) => cluster.killCoordinator(),
      (cluster) => cluster.clockOffWorker(),
    ]);
  }, 300_000);
});
