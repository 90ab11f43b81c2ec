import type { Tensor } from '@espalier/torch';

/** How a node merges its two inputs (Zoph & Le 2016, section 4.2; the last in the control experiment only). */
export const COMBINATIONS = ['add', 'elem_mult', 'max'] as const;
/** What a node does to what it merged; the last in the control experiment only. */
export const ACTIVATIONS = ['identity', 'tanh', 'sigmoid', 'relu', 'sin'] as const;

/** What the paper predicts in one block: a combination, then an activation. */
export interface TreeNode {
  readonly combination: (typeof COMBINATIONS)[number];
  readonly activation: (typeof ACTIVATIONS)[number];
}

/**
 * A recurrent cell of Zoph & Le 2016 (section 3.4) with N leaves. Nodes 0 to N-1 are the leaves, which merge the input
 * and the last output, each times a matrix of its own. Node N+k merges nodes 2k and 2k+1; the last, 2N-2, gives out h_t.
 */
export interface ZophRnn {
  readonly nodes: readonly TreeNode[];
  /** How the last cell state is merged into the node `cellIndex.previous`, after that node's activation. */
  readonly cellInject: TreeNode;
  readonly cellIndex: {
    /** The node whose merged value, before its activation, is the next cell state c_t. */
    readonly next: number;
    /** The node that c_{t-1} is injected at. */
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
