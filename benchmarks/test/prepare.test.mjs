import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { benchmarkNames } from '../driver/benchmark-names.mjs';
import { loadBenchmark } from '../driver/load-benchmark.mjs';

const folder = mkdtempSync(join(tmpdir(), 'espalier-benchmarks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** No benchmark needs more to show that it still fits the library. */
const small = {
  layers: 6,
  batch: 2,
  channels: 4,
  filters: 48,
  hidden: 16,
  images: 200,
  vocabulary: 100,
  calls: 10,
};

test.each(benchmarkNames)('our side of %s takes two steps', async (name) => {
  const { settings, checked, prepare } = await loadBenchmark(name);
  const all = { ...settings, ...checked };
  const smaller = Object.entries(small).filter(([key, most]) => all[key] > most);
  const step = prepare({ ...all, ...Object.fromEntries(smaller) }, join(folder, 'start.safetensors'));
  const numbers = [step(), step()].flat();
  expect(numbers.every(Number.isFinite), numbers.join()).toBe(true);
});
