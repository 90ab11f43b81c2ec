import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { native } from '../../src/native.js';

const program = fileURLToPath(new URL('../programs/count-kernel-threads.mjs', import.meta.url));

/** For each kernel, whether its forward and its backward pass on small tensors use all threads. */
function usesThreads(leastWork: number): Record<string, boolean[]> {
  return JSON.parse(execFileSync(process.execPath, [program, String(leastWork)], { encoding: 'utf8' }));
}

const forwardOnly = ['sgd', 'adam', 'clip'];
/** These divide their rows among threads however little the work. */
const always = ['mixedHighway', 'mixedRecurrence'];

describe.runIf(process.platform === 'linux')('kernels', () => {
  it('divide the smallest work among threads when asked to, forward and backward', () => {
    const report = usesThreads(0);
    expect(Object.keys(report)).toHaveLength(16);
    for (const [name, passes] of Object.entries(report))
      expect(passes, name).toEqual(forwardOnly.includes(name) ? [true] : [true, true]);
  });

  it('do not divide small work by default', () => {
    for (const [name, passes] of Object.entries(usesThreads(2 ** 24)))
      expect(passes, name).toEqual(passes.map(() => always.includes(name)));
  });
});

it('the least work that is divided is about four million multiply-adds, and never negative', () => {
  const before = native.setLeastWork(7);
  expect(before).toBe(2 ** 22);
  expect(native.setLeastWork(before)).toBe(7);
  expect(() => native.setLeastWork(-1)).toThrow(
    'the least work of several threads is -1; allowed: 0 or more',
  );
});
