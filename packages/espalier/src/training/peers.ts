import { backward, noGrad, type ProcessGroup, type Tensor, zeros } from '@espalier/torch';
import type { Share } from '../data/share.js';
import type { Batch } from '../tasks/task.js';

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

  get share(): Share {
    return { rank: this.rank, of: this.group.size };
  }

  /**
   * The backward pass of a batch of which each process has a part. The gradients of the parameters become those of the mean
   * loss over the whole batch, to the same bits in each process.
   *
   * @returns the mean loss over the whole batch, and the inputs that it is over
   */
  backward<Model>(
    batch: Batch<Model>,
    model: Model,
    parameters: readonly Tensor[],
    prepare: () => void,
  ): { readonly loss: number; readonly count: number } {
    const own = batch.weight ?? batch.count;
    const [whole = 0, count = 0] = this.group.sums([own, batch.count]);
    // Before the backward pass and not after it: a batch norm has gradients of other processes' losses.
    const part = whole === 0 ? 0 : own / whole;
    const pass = () => {
      const { loss, total } = batch.trainingLoss(model);
      prepare();
      backward(total.mul(part));
      return noGrad(() => loss.detach().mul(part));
    };
    const loss = this.syncBatchNorm ? this.group.withWholeBatches(pass) : pass();
    this.group.allReduce([...parameters.flatMap((parameter) => parameter.grad ?? []), loss]);
    return { loss: loss.item(), count };
  }

  /** What the first process says, as JSON; the others give nothing. */
  tell<T>(message?: T): T {
    return JSON.parse(this.group.broadcastText(JSON.stringify(message ?? null))) as T;
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
