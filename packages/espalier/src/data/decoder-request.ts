import type { Showing } from './shown-image.js';
import type { PairShowing, ShownPair } from './shown-pair.js';

/** One image for the decoder thread. */
export interface DecoderJob {
  readonly file: string;
  /** In the order of the pass. */
  readonly place: number;
  readonly slot: number;
}

/** What a pass sends to the decoder thread, which answers in the memory that both share. */
export interface DecoderRequest {
  readonly for: 'images';
  /** Slots of `slotBytes` bytes, each for one image. */
  readonly pixels: SharedArrayBuffer;
  /**
   * First whether the pass is over (1). Then, for each slot, a `SlotState`, or -n where the image could not be decoded and
   * the slot has n bytes of text with the reason.
   */
  readonly states: Int32Array<SharedArrayBuffer>;
  readonly slotBytes: number;
  readonly showing: Showing;
  readonly jobs: readonly DecoderJob[];
}

export const SlotState = { waiting: 0, ready: 1, readyButDamaged: 2 } as const;

/** An image and its mask for the decoder thread. */
export interface PairJob {
  readonly image: string;
  readonly mask: string;
  /** In the order of the pass. */
  readonly place: number;
}

/** The same of images with masks, of any size: the thread posts a `PairAnswer` for each and then counts it. */
export interface PairRequest {
  readonly for: 'pairs';
  /** Whether the pass is over (1), and how many answers were posted. */
  readonly states: Int32Array<SharedArrayBuffer>;
  /** The number of the pass, for the answers. */
  readonly pass: number;
  readonly showing: PairShowing;
  readonly jobs: readonly PairJob[];
}

export type PairAnswer = { readonly pass: number; readonly place: number } & (
  | ShownPair
  | { readonly fault: string }
);
