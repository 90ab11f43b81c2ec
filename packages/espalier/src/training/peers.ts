import { noGrad, type ProcessGroup, scope, type Tensor, zeros } from '@espalier/torch';
import type { Share } from '../data/share.js';
import type { Batch } from '../tasks/task.js';
import { generatorStates, setGenerators } from './generators.js';

/** A tensor that another process is to make room for. */
type Described = readonly [name: string, dtype: Tensor['dtype'], shape: readonly number[]];

/**
 * The processes that train one network together (data parallelism): each has a copy of it, reads its part of each batch,
 * and the gradients are those of the whole batch. The first one journals and saves, and tells the others what to do.
 */
export class Peers {
  constructor(
    private readonly group: ProcessGroup,
    /** Whether batch norms normalise by whole batches, as one process would, and not by the parts. */
    private readonly syncBatchNorm: boolean,
  ) {}

  get rank(): number {
    return this.group.rank;
  }

  get leads(): boolean {
    return this.rank === 0;
  }

  /** What exchanges tensors on GPUs. */
  get collectives(): 'gloo' | 'nccl' {
    return this.group.collectives;
  }

  get share(): Share {
    return { rank: this.rank, of: this.group.size };
  }

  /**
   * A part of a batch whose losses have the values of the whole batch, and gradients whose sums over all processes are those
   * of the whole batch. Backward passes belong into `within`.
   */
  whole<Model>(batch: Batch<Model>): Batch<Model> {
    const own = batch.weight ?? batch.count;
    const [whole = 0, count = 0] = this.group.sums([own, batch.count]);
    // Before the backward pass and not after it: a batch norm has gradients of other processes' losses.
    const part = whole === 0 ? 0 : own / whole;
    const ofWhole = (loss: Tensor): Tensor => {
      const mine = loss.mul(part);
      const others = noGrad(() => {
        const sum = mine.detach().clone();
        this.group.allReduce([sum]);
        return sum.sub(mine.detach());
      });
      return mine.add(others);
    };
    return {
      ...batch,
      count,
      loss: (model) => ofWhole(batch.loss(model)),
      trainingLoss(model) {
        const { loss, total } = batch.trainingLoss(model);
        return { loss: ofWhole(loss), total: total.mul(part) };
      },
    };
  }

  /** Runs the forward and backward passes of a step. */
  within<T>(step: () => T): T {
    return this.syncBatchNorm ? this.group.withWholeBatches(step) : step();
  }

  /** Replaces gradients of parts by those of the whole batch, to the same bits in each process. */
  sum(gradients: readonly Tensor[]): void {
    this.group.allReduce(gradients);
  }

  /** Has all processes draw the numbers that the first one draws. */
  drawAlike(device: string): void {
    scope(() => {
      const states = generatorStates(device);
      this.give(states);
      if (!this.leads) setGenerators(states, device);
    });
  }

  /** What the first process says, as JSON; the others give nothing. */
  tell<T>(message?: T): T {
    return JSON.parse(this.group.broadcastText(JSON.stringify(message ?? null))) as T;
  }

  /** What each process says, as JSON, in their order. */
  tellEach<T>(message: T): T[] {
    const text = JSON.stringify(message);
    return Array.from(
      { length: this.group.size },
      (_, rank) => JSON.parse(this.group.broadcastText(text, rank)) as T,
    );
  }

  /** In how many processes something is so. */
  count(is: boolean): number {
    return this.group.sums([is ? 1 : 0])[0] as number;
  }

  /** Gives the others the values of the first process, in tensors that all have. */
  give(tensors: ReadonlyMap<string, Tensor>): void {
    this.group.broadcast([...tensors.values()]);
  }

  /** Gives the others the tensors of the first process, which they know nothing of. */
  giveNew(tensors: ReadonlyMap<string, Tensor> | undefined): Map<string, Tensor> {
    const described = this.tell<Described[]>(
      [...(tensors ?? [])].map(([name, { dtype, shape }]): Described => [name, dtype, shape]),
    );
    const given =
      tensors === undefined
        ? new Map(described.map(([name, dtype, shape]) => [name, zeros(shape, { dtype })]))
        : new Map(tensors);
    this.give(given);
    return given;
  }

  /** A row of each process's values [N] for each of the tensors: [processes, N]. */
  gather(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const { size, rank } = this.group;
    const rows = new Map(
      [...tensors].map(([name, tensor]) => {
        const table = zeros([size, ...tensor.shape], { dtype: tensor.dtype });
        table.select(0, rank).copy_(tensor);
        return [name, table];
      }),
    );
    this.group.allReduce([...rows.values()]);
    return rows;
  }

  /** This process's row of what `gather` made. @throws Error where it is of another number of processes */
  ownRows(tables: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const { size } = this.group;
    return new Map(
      [...tables].map(([name, table]) => {
        if (table.shape.length !== 2 || table.shape[0] !== size)
          throw new Error(`'${name}' of the state is not of ${size} processes`);
        return [name, table.select(0, this.rank)];
      }),
    );
  }
}
