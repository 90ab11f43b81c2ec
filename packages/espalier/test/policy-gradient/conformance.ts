import { noGrad, scope, type Tensor, tensor } from '@espalier/torch';
import { expect, it } from 'vitest';
import { Controller, type ControllerOptions } from '../../src/controller/controller.js';
import type { ParameterServer, Pushed } from '../../src/policy-gradient/parameter-server.js';
import { type ShardOptions, shardOf } from '../../src/policy-gradient/shard.js';

export interface ServerOptions extends ShardOptions {
  readonly shards: number;
  readonly controller: ControllerOptions;
}

export const controller: ControllerOptions = { hidden: 4, layers: 2, initialRange: 0.08, seed: 3 };
const HEADS = ['choice/size/3', 'subset/anchors', 'choice/stride/2'];

/** Every value of some parameters by name. */
export const valuesOf = (parameters: ReadonlyMap<string, Tensor>): Record<string, number[]> =>
  Object.fromEntries([...parameters].map(([name, one]) => [name, one.flatten(0).toNumbers()]));

/** A gradient of every parameter that a replica knows, or of those alone that `of` takes. */
export function gradient(
  parameters: ReadonlyMap<string, Tensor>,
  scale: number,
  of: (name: string) => boolean = () => true,
): Map<string, Tensor> {
  return new Map(
    [...parameters]
      .filter(([name]) => of(name))
      .map(([name, one], place) => [name, noGrad(() => one.mul(0).add(tensor([scale * (1 + place / 10)])))]),
  );
}

/** What Adam makes of gradients (Kingma & Ba 2015, algorithm 1), by hand and in double precision. */
function adam(initial: number, gradients: readonly number[], rate: number): number {
  let [value, mean, square] = [initial, 0, 0];
  for (const [place, slope] of gradients.entries()) {
    mean = 0.9 * mean + 0.1 * slope;
    square = 0.999 * square + 0.001 * slope * slope;
    const step = place + 1;
    value -= (rate * (mean / (1 - 0.9 ** step))) / (Math.sqrt(square / (1 - 0.999 ** step)) + 1e-8);
  }
  return value;
}

/** What every parameter server must do. @param open a new server, for the test that is running */
export function serverConformance(open: (options: ServerOptions) => Promise<ParameterServer>): void {
  const options = { learningRate: 0.1, accumulate: 1, shards: 3, controller };
  const pushes = (server: ParameterServer, given: Map<string, Tensor>, drawnAt: readonly number[]) =>
    Promise.resolve(server.push({ parameters: given, drawnAt }));

  it('begins with the parameters that follow from the seed and their names', async () => {
    const server = await open(options);
    expect((await server.fetch()).versions).toEqual([0, 0, 0]);
    await server.grow(HEADS.slice(0, 2));
    // Another replica was asked its questions in another order.
    await server.grow([HEADS[1] as string, HEADS[2] as string, HEADS[0] as string]);
    const { heads, parameters } = await server.fetch();
    expect(heads).toEqual(HEADS);
    const expected = new Controller(controller);
    for (const head of HEADS) expected.addHead(head);
    expect(valuesOf(parameters)).toEqual(valuesOf(expected.parametersByName()));
    expect(new Set([...parameters.keys()].map((name) => shardOf(name, 3))).size).toBe(3);
  });

  it('makes a step of Adam with each gradient, on every shard', async () => {
    const server = await open(options);
    const { parameters, versions } = await server.fetch();
    const name = 'start.weight';
    const [initial] = valuesOf(parameters)[name] as [number];
    const place = [...parameters.keys()].indexOf(name);
    const scales = [0.5, -1, 0.25];
    const pushed: Pushed[] = [];
    for (const scale of scales) pushed.push(await pushes(server, gradient(parameters, scale), versions));
    expect(pushed).toEqual([
      { staleness: 0, updated: true, versions: [1, 1, 1] },
      { staleness: 1, updated: true, versions: [2, 2, 2] },
      { staleness: 2, updated: true, versions: [3, 3, 3] },
    ]);
    const after = await server.fetch();
    expect(after.versions).toEqual([3, 3, 3]);
    const slopes = scales.map((scale) => scale * (1 + place / 10));
    expect(valuesOf(after.parameters)[name]?.[0]).toBeCloseTo(adam(initial, slopes, 0.1), 6);
  });

  it('makes one step with the mean of the gradients that it accumulates', async () => {
    const server = await open({ ...options, accumulate: 3 });
    const { parameters, versions } = await server.fetch();
    const [initial] = valuesOf(parameters)['start.weight'] as [number];
    const place = [...parameters.keys()].indexOf('start.weight');
    const pushed: Pushed[] = [];
    for (const scale of [1, 2, 6, 4])
      pushed.push(await pushes(server, gradient(parameters, scale), versions));
    expect(pushed.map(({ updated, staleness }) => [updated, staleness])).toEqual([
      [false, 0],
      [false, 0],
      [true, 0],
      [false, 1],
    ]);
    const after = await server.fetch();
    expect(after.versions).toEqual([1, 1, 1]);
    const mean = 3 * (1 + place / 10);
    expect(valuesOf(after.parameters)['start.weight']?.[0]).toBeCloseTo(adam(initial, [mean], 0.1), 6);
  });

  it('leaves parameters alone that a gradient lacks, and takes heads that come later', async () => {
    const server = await open(options);
    const before = await server.fetch();
    const initial = valuesOf(before.parameters);
    await pushes(
      server,
      gradient(before.parameters, 1, (name) => name === 'start.weight'),
      before.versions,
    );
    await server.grow(HEADS);
    const grown = await server.fetch();
    await pushes(
      server,
      gradient(grown.parameters, 1, (name) => name.startsWith('heads.')),
      grown.versions,
    );
    const after = await server.fetch();
    const values = valuesOf(after.parameters);
    for (const name of Object.keys(initial))
      if (name === 'start.weight') expect(values[name]).not.toEqual(initial[name]);
      else expect(values[name]).toEqual(initial[name]);
    const head = 'heads.choice/size/3';
    const moved = Object.keys(values).filter((name) => name.startsWith(head));
    expect(moved.length).toBeGreaterThan(0);
    for (const name of moved) {
      const at = Object.keys(
        valuesOf(gradient(grown.parameters, 1, (one) => one.startsWith('heads.'))),
      ).indexOf(name);
      const [fresh] = valuesOf(grownInitially())[name] as [number];
      expect(values[name]?.[0]).toBeCloseTo(adam(fresh, [1 + at / 10], 0.1), 6);
    }
  });
}

/** The parameters before any update, with all heads. */
function grownInitially(): ReadonlyMap<string, Tensor> {
  const fresh = new Controller(controller);
  for (const head of HEADS) fresh.addHead(head);
  return fresh.parametersByName();
}

/**
 * All parameters after the same gradients in the same order: some of all parameters, some of a part, with a head that comes
 * later and another that comes in between two gradients of one update.
 */
export async function afterTheSameGradients(server: ParameterServer): Promise<Record<string, number[]>> {
  for (const [turn, scale] of [0.5, -1.5, 0.125, 3, -0.75, 1, 0.25].entries()) {
    const { parameters, versions } = await server.fetch();
    const given = scope(
      () =>
        new Map(
          [...gradient(parameters, scale, (name) => turn % 3 !== 1 || !name.includes('cells'))].map(
            ([name, one]) => [name, one.keep()],
          ),
        ),
    );
    await server.push({ parameters: given, drawnAt: versions, name: `gradient ${turn}` });
    if (turn % 2 === 0) await server.grow(HEADS.slice(0, turn / 2 + 1));
  }
  return valuesOf((await server.fetch()).parameters);
}
