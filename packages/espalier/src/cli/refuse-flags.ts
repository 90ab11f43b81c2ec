import { InputError } from '../input-error.js';

/** @throws InputError where one of the flags is given although it would have no effect */
export function refuseFlags<Flags extends object>(
  flags: Flags,
  names: readonly (keyof Flags & string)[],
  reason: string,
): void {
  for (const name of names) {
    const given = givenText(flags[name]);
    if (given === undefined) continue;
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new InputError(`${flag}${given}: ${reason}`);
  }
}

/** What stands behind the flag, with a space before it; undefined for a flag that is not given. */
function givenText(value: unknown): string | undefined {
  if (value === undefined || value === false) return undefined;
  if (value === true) return '';
  if (typeof value !== 'object' || Array.isArray(value)) return ` ${value}`;
  // The settings that `--set` has collected.
  const [setting] = Object.entries(value as object);
  return setting === undefined ? undefined : ` ${setting[0]}=${setting[1]}`;
}
