import { isDeepStrictEqual } from 'node:util';
import { scope, type Tensor } from '@espalier/torch';
import type { Json } from '../json.js';
import type { MemoryInUse } from '../runs/memory-in-use.js';
import type { Epochs } from './journaled-epochs.js';
import type { Peers } from './peers.js';

/** What the first process says to the others. */
type Message =
  | { readonly next: 'epoch' }
  | { readonly next: 'end' }
  /** Its state follows. */
  | { readonly next: 'state'; readonly json: Json; readonly epoch: number; readonly loss: number };

/** The work of several processes in the first of them, which journals and saves it: the others are told what comes next. */
export class LedEpochs<Step extends { readonly loss: number }> implements Epochs<Step> {
  constructor(
    private readonly work: Epochs<Step>,
    private readonly peers: Peers,
  ) {}

  get epoch(): number {
    return this.work.epoch;
  }

  get lastLoss(): number {
    return this.work.lastLoss;
  }

  get trained(): boolean {
    return this.work.trained;
  }

  *trainEpoch(): Generator<Step, void, undefined> {
    this.peers.tell<Message>({ next: 'epoch' });
    yield* this.work.trainEpoch();
  }

  endEpoch(): Readonly<Record<string, Json>> {
    const result = this.work.endEpoch();
    requireOne(this.work.epoch, result, this.peers);
    return result;
  }

  get collectives(): string {
    return this.peers.collectives;
  }

  memory(): readonly MemoryInUse[] {
    return this.peers.tellEach(this.work.memory()).flat();
  }

  stateDict(): Map<string, Tensor> {
    return this.work.stateDict();
  }

  stateJson(): Json {
    return this.work.stateJson();
  }

  loadState(state: ReadonlyMap<string, Tensor>, json: Json, epoch: number, loss: number): void {
    this.peers.tell<Message>({ next: 'state', json, epoch, loss });
    this.peers.giveNew(state);
    this.work.loadState(state, json, epoch, loss);
  }

  /** Lets the others go. */
  end(): void {
    this.peers.tell<Message>({ next: 'end' });
  }
}

/** The same work in one of the other processes, until the first one lets it go. @throws PeerLost */
export function followEpochs<Step extends { readonly loss: number }>(work: Epochs<Step>, peers: Peers): void {
  for (;;) {
    const message = peers.tell<Message>();
    if (message.next === 'end') return;
    if (message.next === 'state') {
      const { json, epoch, loss } = message;
      scope(() => work.loadState(peers.giveNew(undefined), json, epoch, loss));
      continue;
    }
    for (const _ of work.trainEpoch());
    requireOne(work.epoch, work.endEpoch(), peers);
    peers.tellEach(work.memory());
    // The first one saves what all of them add to the state.
    scope(() => work.stateDict());
  }
}

/** @throws Error in all processes, where one has come to something else than the first, such as another architecture */
function requireOne(epoch: number, result: Readonly<Record<string, Json>>, peers: Peers): void {
  const first = peers.tell(result);
  const others = peers.count(!isDeepStrictEqual(first, JSON.parse(JSON.stringify(result))));
  if (others > 0)
    throw new Error(
      `${others} of the processes have come to something else than the first in epoch ${epoch}`,
    );
}
