import { nn } from '@espalier/torch';
import { type HasKernelForm, type KernelForm, poolingForm } from './kernel-form.js';

/** 3x3 pooling followed by batch norm without scale and shift, as used in a search. */
export class PoolNorm extends nn.Sequential implements HasKernelForm {
  constructor(
    readonly kind: 'max' | 'avg',
    readonly stride: number,
    readonly norm: nn.BatchNorm2d,
  ) {
    const window = { stride, padding: 1 };
    const pool =
      kind === 'max'
        ? new nn.MaxPool2d(3, window)
        : new nn.AvgPool2d(3, { ...window, countIncludePad: false });
    super(pool, norm);
  }

  get kernelForm(): KernelForm {
    return poolingForm(this.kind, this.stride, this.norm);
  }
}
