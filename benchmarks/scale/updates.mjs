import { noGrad, scope } from '@espalier/torch';
import { RedisParameterServer } from '../../packages/espalier/dist/queue/redis-parameter-server.js';

/** The controller of Zoph & Le 2016, section 4.1, with a head for each of 15 layers' five choices, on their 20 shards and on one. */
const CONTROLLER = { hidden: 35, layers: 2, initialRange: 0.08, seed: 1 };
const HEADS = Array.from({ length: 15 }, (_, layer) =>
  ['filterHeight', 'filterWidth', 'strideHeight', 'strideWidth', 'filters'].map(
    (name) => `choice/${layer}/${name}/4`,
  ),
).flat();
const SECONDS = 5;

/** Gradients of all parameters, pushed one after the other by one process: each is an update of every shard. */
export async function updates(
  _settings,
  /** @type {import('ioredis').Redis} */ redis,
  /** @type {(line: string) => void} */ say,
) {
  const figures = [];
  for (const shards of [1, 20]) {
    const server = new RedisParameterServer(redis, `bench${shards}`, {
      ...{ shards, accumulate: 1, learningRate: 0.0006, controller: CONTROLLER },
    });
    await server.grow(HEADS);
    const { parameters, versions } = await server.fetch();
    const gradient = scope(
      () => new Map([...parameters].map(([name, one]) => [name, noGrad(() => one.mul(0).add(1)).keep()])),
    );
    const bytes = [...parameters.values()].reduce((sum, one) => sum + 4 * one.size, 0);
    const begun = performance.now();
    let pushed = 0;
    while (performance.now() - begun < SECONDS * 1000) {
      await server.push({ parameters: gradient, drawnAt: versions, name: `${pushed++}` });
      await server.fetch();
    }
    const aSecond = pushed / ((performance.now() - begun) / 1000);
    await server.remove();
    server.free();
    figures.push({ shards, bytes, updatesASecond: aSecond, updatesOfAShardASecond: aSecond * shards });
    say(
      `${shards} ${shards === 1 ? 'shard' : 'shards'}, ${Math.round(bytes / 1024)} KB of parameters: ${aSecond.toFixed(0)} gradients a second ` +
        `from one process, ${(aSecond * shards).toFixed(0)} updates of a shard a second`,
    );
  }
  return figures;
}
