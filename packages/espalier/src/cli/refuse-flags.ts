import { InputError } from '../input-error.js';
import type { AnySpaceDefinition } from '../space/space.js';
import type { ImageFlags } from './image-flags.js';
import type { StatisticsFlags } from './statistics-flags.js';
import type { TokenFlags } from './token-flags.js';

/** @throws InputError where one of the flags is given, and would not be looked at */
export function refuseFlags<Flags extends object>(
  flags: Flags,
  names: readonly (keyof Flags & string)[],
  reason: string,
): void {
  for (const name of names) {
    const value = flags[name];
    if (value === undefined) continue;
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new InputError(`${flag} ${value}: ${reason}`);
  }
}

/** @throws InputError for a flag of images where the networks of a space read tokens, or the other way round */
export function refuseFlagsOfOtherInput(
  { name, reads }: AnySpaceDefinition,
  flags: ImageFlags & StatisticsFlags & TokenFlags,
): void {
  if (reads === 'tokens')
    refuseFlags(
      flags,
      ['mean', 'std', 'imageSize', 'imageChannels', 'classes'],
      `the networks of space ${name} read tokens, not images`,
    );
  else refuseFlags(flags, ['vocabulary'], `the networks of space ${name} read images, not tokens`);
}
