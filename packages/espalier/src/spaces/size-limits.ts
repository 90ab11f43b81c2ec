/**
 * The largest values of options that are sizes. They are far above any published network, and there so that a slip such as
 * `layers=1000000000` gets a message at once, before memory runs out.
 */

/** For layers and cells of a network. */
export const MOST_LAYERS = 1_000;

/** For blocks and nodes of a cell. */
export const MOST_NODES = 100;

/** For channels, filters and hidden units. */
export const MOST_CHANNELS = 100_000;

/** For heights, widths and strides, in pixels. */
export const MOST_PIXELS = 10_000;
