import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadTensors, type Tensor } from '@espalier/torch';
import { readGenotypeText } from '../../src/spaces/genotype-text.js';

const file = (name: string) => fileURLToPath(new URL(`../networks/fixtures/${name}`, import.meta.url));

/** A network's state that PyTorch saved, and what it was given and gave (networks/fixtures/make-*.py). */
export function pytorchFixture(name: 'darts-cifar' | 'darts-imagenet' | 'darts-rnn'): {
  state: Map<string, Tensor>;
  tensor(name: string): Tensor;
} {
  const { tensors } = loadTensors(file(`${name}.safetensors`));
  const prefix = 'state.';
  const state = [...tensors].filter(([key]) => key.startsWith(prefix));
  return {
    state: new Map(state.map(([key, value]) => [key.slice(prefix.length), value])),
    tensor: (key) => tensors.get(key)!,
  };
}

/** The file of the genotype of the convolutional fixtures. */
export const genotypeFile = file('darts-genotype.txt');

export const fixtureGenotype = () =>
  readGenotypeText(readFileSync(genotypeFile, 'utf8'), genotypeFile).content;
