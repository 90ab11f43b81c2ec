import type { nn } from '@espalier/torch';

/** A classifier of images: [N, channels, height, width] to the logits [N, classes]. */
export type Network = nn.Layer;
