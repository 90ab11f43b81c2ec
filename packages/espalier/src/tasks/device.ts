import { scope, zeros } from '@espalier/torch';
import { InputError } from '../input-error.js';

/** @throws InputError where libtorch has no such device, or cannot reach it here */
export function requireDevice(device: string): void {
  try {
    scope(() => {
      zeros([1], { device });
    });
  } catch (error) {
    throw new InputError(
      `device '${device}' cannot be used: ${(error as Error).message.split('\n')[0]?.slice(0, 200)}; 'cpu' always can`,
    );
  }
}
