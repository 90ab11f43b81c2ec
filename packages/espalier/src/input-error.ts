/** Wrong input of the user: its message names the value, what is allowed and where it stood. Exit code 2. */
export class InputError extends Error {
  override readonly name = 'InputError';
}
