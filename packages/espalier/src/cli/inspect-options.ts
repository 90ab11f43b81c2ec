import type { z } from 'zod';
import { strategies } from '../strategies/strategy-names.js';
import { languageTrainingSettings, trainingSettings } from '../training/training-settings.js';
import { weightSharing } from '../weight-sharing/weight-sharing-names.js';
import { describeOptions } from './options.js';
import type { Terminal } from './terminal.js';

/** The options of one kind of networks; `reads` where they differ by what the networks read. */
interface OptionsOf {
  readonly reads?: 'images' | 'tokens';
  readonly schema: z.ZodObject;
}

/** What `--set` can change besides a space, by its name: strategies, and the training of networks. */
export const namedOptions: ReadonlyMap<string, readonly OptionsOf[]> = new Map<string, readonly OptionsOf[]>([
  ...[...strategies.values()].map(({ name, options }): Entry => [name, [{ schema: options as z.ZodObject }]]),
  ...[...weightSharing.values()].map(
    ({ name, options }): Entry => [name, byInput(options.images, options.tokens)],
  ),
  ['training', byInput(trainingSettings, languageTrainingSettings)],
]);

type Entry = [string, readonly OptionsOf[]];

function byInput(images: z.ZodObject, tokens: z.ZodObject): readonly OptionsOf[] {
  return [
    { reads: 'images', schema: images },
    { reads: 'tokens', schema: tokens },
  ];
}

/** Lists options with their defaults. */
export function inspectOptions(name: string, groups: readonly OptionsOf[], terminal: Terminal): void {
  const of = name === 'training' ? name : `strategy ${name}`;
  terminal.json({
    name,
    options: groups.map(({ reads, schema }) => ({
      ...(reads === undefined ? {} : { reads }),
      options: describeOptions(schema),
    })),
  });
  for (const { reads, schema } of groups) {
    const options = describeOptions(schema);
    terminal.result(`${of}${reads === undefined ? '' : ` of networks that read ${reads}`}:`);
    for (const option of options)
      terminal.result(`  ${option.name} = ${JSON.stringify(option.default)}  ${option.description}`);
    if (options.length === 0) terminal.result('  no options');
  }
}
