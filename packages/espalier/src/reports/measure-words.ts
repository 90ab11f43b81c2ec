import type { Measure, Objectives } from '../measures/measure.js';

/** The names of measures as people read them, where these differ. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['params', 'parameters'],
  ['macs', 'multiply-adds'],
  ['loss', 'validation loss'],
  ['bpc', 'bits per character'],
]);

/** The name of a measure as people read it. */
export const wordsOf = (name: string) => WORDS.get(name) ?? name;

/** How a measure is shown: as an objective of the run says, or as the box does. */
export const measureOf = (objectives: Objectives, name: string): Measure | string =>
  objectives.find((one) => one.name === name) ?? name;
