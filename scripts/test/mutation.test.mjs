import { expect, test } from 'vitest';
import { mutantsOf, parses } from '../mutation/mutants.mjs';
import { sampleOf, wilsonInterval } from '../mutation/sample.mjs';

const after = (text) => mutantsOf(text).map((mutant) => mutant.after);

test.each([
  ['f = a < b;', ['f = a <= b;', 'f = a >= b;']],
  ['f = (a as number) - b ** c;', ['f = (a as number) + b ** c;', 'f = (a as number) - b * c;']],
  ['f = a !== b && !c;', ['f = a === b && !c;', 'f = a !== b || !c;', 'f = a !== b && c;']],
  ['f = a ?? -b;', ['f = a && -b;', 'f = a ?? b;']],
  ['f = a ? b : c;', ['f = (b);', 'f = (c);']],
  ['f = a?.b?.[c];', ['f = a.b?.[c];', 'f = a?.b[c];']],
])('the expression of %j has the mutants %j', (text, expected) => {
  expect(after(`const ${text}`).map((mutant) => mutant.replace('const ', ''))).toEqual(expected);
});

test.each([
  ['if (a) b++;', ['if (true) b++;', 'if (false) b++;', 'if (a) ;', 'if (a) b--;']],
  ['for (; a; ) break;', ['for (; false; ) break;', 'for (; a; ) ;']],
  ['while (a) continue;', ['while (false) continue;', 'while (a) ;']],
  ['a += b;', [';', 'a -= b;']],
])('the statement %j has the mutants %j', (text, expected) => {
  expect(after(text)).toEqual(expected);
});

test.each([
  ['[0, 1, 2.5, 3n, true]', ['[1, 1, 2.5, 3n, true]', '[0, 2, 2.5, 3n, true]', '[0, 1, 5, 3n, true]']],
  ['Math.max(a, b)', ['Math.min(a, b)']],
  ['a.filter(b).length', ['a.length']],
  ['f({ a, b: c })', ['f({ b: c })', 'f({ a, })']],
])('the value %j has the mutants %j, among others', (text, expected) => {
  expect(after(`const v = ${text};`)).toEqual(
    expect.arrayContaining(expected.map((mutant) => `const v = ${mutant};`)),
  );
});

test('types, imports and the texts of messages have no mutants', () => {
  const text = `import { a } from './1.js';
    type Level = 0 | 1;
    function f(level: 2, ...rest: number[]): asserts level is 2 { throw new Error(1 + g(!level)); }
    const h = "x" + \`\${1 - 2}\`;
    const i = z.int().describe('1' + (1 - 2)), j = <Level>k satisfies 7 as 8;`;
  expect(after(text)).toEqual([]);
});

test('a mutant says which line it changes, and how', () => {
  const [mutant] = mutantsOf('a;\n  const b = [\n    c -\n      d,\n  ];\n'.slice(2));
  expect(mutant).toEqual({
    line: 3,
    start: 21,
    end: 22,
    replacement: '+',
    before: 'c -',
    after: 'c +',
  });
});

test('a mutant that is no program any more is none', () => {
  const text = 'const a = [b, c];';
  expect(parses(text, { start: 11, end: 15, replacement: 'b d' })).toBe(false);
  expect(parses(text, { start: 11, end: 15, replacement: 'b' })).toBe(true);
});

test('a sample contains every smaller one, and what is left of it when the population shrinks', () => {
  const all = Array.from({ length: 100 }, (_, i) => `mutant ${i}`);
  const draw = (population, size, seed) => sampleOf(population, size, seed, (name) => name);
  const twenty = draw(all, 20, 1);
  expect(new Set(twenty).size).toBe(20);
  expect(draw(all, 10, 1)).toEqual(twenty.slice(0, 10));
  expect(draw(all.toReversed(), 20, 1)).toEqual(twenty);
  const [first, ...others] = twenty;
  expect(
    draw(
      all.filter((name) => name !== first),
      19,
      1,
    ),
  ).toEqual(others);
  expect(draw(all, 20, 2)).not.toEqual(twenty);
  expect(draw(all, 1000, 1)).toHaveLength(100);
});

test('the interval of a share is that of Wilson', () => {
  // 81 of 263 is the example of Newcombe 1998: 0.2553 to 0.3662.
  const [low, high] = wilsonInterval(81, 263);
  expect(low).toBeCloseTo(0.2553, 4);
  expect(high).toBeCloseTo(0.3662, 4);
  expect(wilsonInterval(0, 10)[0]).toBeCloseTo(0, 12);
  expect(wilsonInterval(10, 10)[1]).toBeCloseTo(1, 12);
});
