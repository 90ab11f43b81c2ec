import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { didYouMean } from '../nearest-name.js';

/** Values of options, as a header holds them. Their owner's schema decides which are allowed. */
export const optionValues = z.record(z.string(), z.json() as z.ZodType<Json>);

/**
 * The options of a space or a strategy: a schema with a description and a default for each; the values are plain JSON.
 * Make it with `z.strictObject`, so that a misspelt option is an error wherever the schema parses it.
 */
export type OptionsSchema<O extends object> = z.ZodObject & z.ZodType<O>;

/**
 * The options with `raw` in place of their defaults.
 *
 * @param owner the owner of the options, for messages: `space zoph-cnn`
 * @throws InputError for an option that does not exist or a value that is not allowed
 */
export function resolveOptions(
  owner: string,
  schema: z.ZodObject | undefined,
  raw: object,
): Readonly<Record<string, Json>> {
  const names = Object.keys(schema?.shape ?? {});
  const unknown = Object.keys(raw).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const known = names.length > 0 ? `its options: ${names.join(', ')}` : 'it has no options';
    throw new InputError(`${owner} has no option '${unknown}';${didYouMean(unknown, names)} ${known}`);
  }
  if (schema === undefined) return {};
  const result = schema.safeParse(raw);
  if (result.success) return result.data as Record<string, Json>;
  const issue = result.error.issues[0];
  const path = issue?.path ?? [];
  throw new InputError(
    `${owner}: option '${path.join('.')}' is ${JSON.stringify(valueAt(raw, path)) ?? 'missing'}: ${issue?.message}`,
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce(
    (inner: unknown, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
}
