// Random choices of a case, by fast-check: `g` is a value of fc.gen().
import fc from 'fast-check';

export const integer = (g, min, max) => g(fc.integer, { min, max });

export const oneOf = (g, ...choices) => g(fc.constantFrom, ...choices);

export const chance = (g, percent) => integer(g, 1, 100) <= percent;

export const dtype = (g) => oneOf(g, 'float32', 'float64');
