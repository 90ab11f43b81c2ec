import type { TextLevel } from '../../data/text-level.js';
import { bpc } from '../../measures/bpc.js';
import { loss } from '../../measures/loss.js';
import type { Measures, Objectives } from '../../measures/measure.js';
import { perplexity } from '../../measures/perplexity.js';

/** What language models are judged by, and what it makes of the mean loss of a token in nats. */
export interface LanguageJudgement {
  readonly measures: Objectives;
  of(loss: number): Measures;
  /** The deciding one for people, from the perplexity of a text. */
  text(perplexity: number): string;
  /** The same for programs, of several texts: what is added to a prediction. */
  json(perplexities: readonly number[]): Readonly<Record<string, readonly number[]>>;
}

/** Models of words are judged by their perplexity, models of characters by their bits per character. */
export const measuresByLevel: Readonly<Record<TextLevel, LanguageJudgement>> = {
  word: {
    measures: [perplexity, loss],
    of: (mean) => ({ perplexity: Math.exp(mean), loss: mean }),
    text: (value) => `perplexity ${value.toFixed(2)}`,
    json: (perplexities) => ({ perplexities }),
  },
  character: {
    measures: [bpc, loss],
    of: (mean) => ({ bpc: mean / Math.LN2, loss: mean }),
    text: (value) => `${Math.log2(value).toFixed(3)} bits per character`,
    json: (perplexities) => ({ bpc: perplexities.map(Math.log2) }),
  },
};
