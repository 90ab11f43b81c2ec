import { z } from 'zod';
import type { Answer } from '../space/language.js';

/** A decision sequence in a snapshot. */
export const answersJson: z.ZodType<Answer[]> = z.array(z.union([z.int(), z.array(z.int())]));
