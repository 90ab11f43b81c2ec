import { fused, type nn, type Tensor } from '@espalier/torch';
import type { Execution } from './execution.js';
import { kernelExecution } from './kernel-execution.js';
import { plainExecution } from './plain-execution.js';

/** The execution of a cell for the device and the type of its inputs. @param operation any of its operations */
export function chooseExecution(operation: nn.Module, inputs: readonly Tensor[]): Execution {
  return inputs.every((input) => fused.servesLayer(operation, input)) ? kernelExecution : plainExecution;
}
