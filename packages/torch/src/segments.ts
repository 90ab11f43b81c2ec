import type { Tensor } from './tensor.js';

/** A part of a graph that runs again when it is differentiated: nothing of its forward pass was kept. */
export interface Segment {
  /** What it read, in the graph around it. */
  readonly inputs: readonly Tensor[];
  /** Leaves, which stand for what it gave in the graph around it. */
  readonly outputs: readonly Tensor[];
  /** Runs it again, recorded. `inputs` are leaves then. */
  again(): { readonly inputs: readonly Tensor[]; readonly outputs: readonly Tensor[] };
  free(): void;
}

let recorded: Segment[] = [];
let depth = 0;

/** The segments that have not been differentiated yet, in the order in which they ran. */
export function recordedSegments(): readonly Segment[] {
  return recorded;
}

export function recordSegment(segment: Segment): void {
  recorded.push(segment);
}

/** Frees segments that nothing will differentiate any more. */
export function forgetSegments(segments: ReadonlySet<Segment>): void {
  recorded = recorded.filter((segment) => !segments.has(segment));
  for (const segment of segments) segment.free();
}

/** Scopes count themselves: when the outermost ends, the tensors of all graphs are gone, and so are its segments. */
export function enterScope(): void {
  depth++;
}

export function leaveScope(): void {
  depth--;
  if (depth === 0 && recorded.length > 0) forgetSegments(new Set(recorded));
}
