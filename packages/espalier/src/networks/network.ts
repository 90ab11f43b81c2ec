import type { nn } from '@espalier/torch';

/** An image classifier, which maps [N, channels, height, width] to logits [N, classes]. */
export type Network = nn.Layer;
