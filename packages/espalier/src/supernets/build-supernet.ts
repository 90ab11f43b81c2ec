import { nn } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { InputShape, Space } from '../space/space.js';
import type { Supernet } from './supernet.js';

/** The supernet of a space. @throws InputError where the space has none */
export function buildSupernet(space: Space, shape: InputShape): Supernet {
  const { definition } = space;
  if (definition.supernet === undefined)
    throw new InputError(`space ${space.name} has no supernet: its architectures share no weights`);
  const supernet = definition.supernet(shape, space.options);
  if (!(supernet instanceof nn.Layer && 'architectureParameters' in supernet))
    throw new InputError(`space ${space.name}: supernet() returns no nn.Layer with architectureParameters()`);
  return supernet as Supernet;
}
