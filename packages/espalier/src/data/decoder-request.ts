import type { Showing } from './shown-image.js';

/** One image for the decoder thread. */
export interface DecoderJob {
  readonly file: string;
  /** In the order of the pass. */
  readonly place: number;
  readonly slot: number;
}

/** What a pass sends to the decoder thread, which answers in the memory that both share. */
export interface DecoderRequest {
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
