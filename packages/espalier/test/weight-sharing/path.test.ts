import { describe, expect, it } from 'vitest';
import { PathsOnOneInput, pathOf } from '../../src/weight-sharing/path.js';
import type { SearchedSupernet } from '../../src/weight-sharing/supernet-search.js';

interface Called {
  forward(...inputs: readonly unknown[]): unknown;
  initialState?(texts: number): unknown;
}

/** What a method was called on and with. */
const called = (name: string) =>
  function (this: unknown, ...given: unknown[]) {
    return [name, this, ...given];
  };
const supernet = (methods: object) => methods as unknown as SearchedSupernet<Called>;

describe('a supernet as one of its architectures', () => {
  it('hands its inputs and the architecture to the supernet, and its state if it has one', () => {
    const images = supernet({ forwardPath: called('path') });
    expect(pathOf(images, 'cell').forward('image')).toEqual(['path', images, 'image', 'cell']);
    expect('initialState' in pathOf(images, 'cell')).toBe(false);
    const texts = supernet({ forwardPath: called('path'), initialState: called('state') });
    expect(pathOf(texts, 'cell').forward('tokens', 'state')).toEqual([
      'path',
      texts,
      'tokens',
      'state',
      'cell',
    ]);
    expect(pathOf(texts, 'cell').initialState?.(3)).toEqual(['state', texts, 3]);
  });

  it('shares with others what they compute of one input, and frees it', () => {
    const log: unknown[] = [];
    const shared = supernet({
      pathsOn(images: unknown) {
        log.push(['begun', images, this === shared]);
        return { run: (architecture: unknown) => `logits of ${architecture}`, free: () => log.push('freed') };
      },
    });
    const paths = new PathsOnOneInput(shared);
    expect([paths.of('a').forward('image'), paths.of('b').forward('image')]).toEqual([
      'logits of a',
      'logits of b',
    ]);
    expect(log).toEqual([['begun', 'image', true]]);
    paths.free();
    expect(log).toEqual([['begun', 'image', true], 'freed']);
  });

  it('is computed alone where the supernet shares nothing', () => {
    const alone = supernet({ forwardPath: called('path') });
    const paths = new PathsOnOneInput(alone);
    expect(paths.of('a').forward('image')).toEqual(['path', alone, 'image', 'a']);
    paths.free();
  });
});
