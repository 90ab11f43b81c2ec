import { InputError } from '../input-error.js';

/** @throws InputError where one of the flags is given although it would have no effect */
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
