import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { OpenedTraining } from '../training/opened-training.js';

/** Where a training keeps what using its network takes besides the weights. */
export const signatureFile = (folder: string) => join(folder, 'signature.json');

/** The content of this file. */
export const signatureText = ({ data }: OpenedTraining) => `${JSON.stringify(data.signature)}\n`;

/** SHA-256 of the content. */
export function checksumOfSignature(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
