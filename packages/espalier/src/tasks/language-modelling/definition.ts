import { dataFormsOf } from '../../data/open-data.js';
import { tokens } from '../../network-kinds/tokens.js';
import type { Space } from '../../space/space.js';
import { requireDevice } from '../device.js';
import { defineTask, type TrainingOptions } from '../task-definition.js';
import { type LanguageLoss, LanguageModelling } from './language-modelling.js';
import { measuresByLevel } from './measures-by-level.js';
import { openText } from './open-text.js';
import { predictTokens } from './predict-tokens.js';
import { languagePresets, paperChild, tuningGrid } from './presets.js';
import { languageSupernetOptions } from './supernet-options.js';
import { languageTrainingOptions } from './training-options.js';

/** The next word or character of a text: cross entropy over the vocabulary, judged by perplexity or bits per character. */
export const languageModelling = defineTask({
  name: 'language-modelling',
  networks: tokens,
  measures: measuresByLevel.word.measures,
  training: {
    options: languageTrainingOptions,
    paper: (_space: Space): TrainingOptions => ({}),
    small: { epochs: 10, batchSize: 20 },
    presets: languagePresets,
    child: paperChild,
    smallChild: { epochs: 2, batchSize: 20 },
    tuning: tuningGrid,
  },
  supernet: {
    options: languageSupernetOptions,
    alpha: { learningRate: 3e-3, beta1: 0.9 },
  },
  dataForms: dataFormsOf('text'),
  dataFlags: ['level'],
  heldOut: false,
  open(settings) {
    const text = openText(settings);
    return {
      input: text.input,
      checksum: text.checksum,
      signature: { level: text.level, vocabulary: [...text.vocabulary] },
      notes: text.notes,
      task: (options) => new LanguageModelling(text, options as unknown as LanguageLoss),
      requireTrainable(_network, _space, { device }) {
        requireDevice(device as string);
      },
    };
  },
  predict: predictTokens,
});
