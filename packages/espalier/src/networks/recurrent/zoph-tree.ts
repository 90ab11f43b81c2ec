import type { Tensor } from '@espalier/torch';

/** How a node combines its two inputs (Zoph & Le 2016, section 4.2). The last one is used in the control experiment only. */
export const COMBINATIONS = ['add', 'elem_mult', 'max'] as const;
/** The activation applied to the combined value. The last one is used in the control experiment only. */
export const ACTIVATIONS = ['identity', 'tanh', 'sigmoid', 'relu', 'sin'] as const;

/** The decisions of one block of the paper: a combination, then an activation. */
export interface TreeNode {
  readonly combination: (typeof COMBINATIONS)[number];
  readonly activation: (typeof ACTIVATIONS)[number];
}

/**
 * A recurrent cell of Zoph & Le 2016 (section 3.4) with N leaves. Nodes 0 to N-1 are the leaves. Each combines the input
 * and the last output, after multiplying both by its own matrices. Node N+k combines nodes 2k and 2k+1. The last node,
 * 2N-2, outputs h_t.
 */
export interface ZophRnn {
  readonly nodes: readonly TreeNode[];
  /** How the last cell state is combined with the result of node `cellIndex.previous`, after that node's activation. */
  readonly cellInject: TreeNode;
  readonly cellIndex: {
    /** The node whose combined value, before the activation, is the next cell state c_t. */
    readonly next: number;
    /** The node at which c_{t-1} is injected. */
    readonly previous: number;
  };
}

const COMBINE = { add: 'add', elem_mult: 'mul', max: 'maximum' } as const;

export function combine({ combination }: TreeNode, left: Tensor, right: Tensor): Tensor {
  return left[COMBINE[combination]](right);
}

export function activate({ activation }: TreeNode, value: Tensor): Tensor {
  return activation === 'identity' ? value : value[activation]();
}
