import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { SetupProblem } from '../../packages/torch/scripts/setup-problem.mjs';

/**
 * A side that a fault of its own spoils. PyTorch 2.6 of Debian has two: in channels_last the gradients of 1x1 convolutions with
 * stride 2 between few channels crash (4 and 8 of them were seen); in the default layout some gradients of dilated
 * convolutions of 8 channels are not numbers, those of other layers in each run.
 */
export class SideFault extends SetupProblem {
  /**
   * @param {string} message
   * @param {'crashed' | 'not a number'} fault
   */
  constructor(message, fault) {
    super(message);
    this.fault = fault;
  }
}

/**
 * One side of a benchmark, a process that waits for its turn: a line in, a line of JSON out. Between its turns it
 * sleeps, so the other sides have the machine.
 */
export class Side {
  #child;
  #ended;
  #lines;
  #errors = '';

  /**
   * @param {string} command
   * @param {string[]} args
   * @param {number} threads
   */
  constructor(command, args, threads) {
    // OpenBLAS has threads of its own, which only the environment tells it on PyTorch's side.
    const env = { ...process.env, OMP_NUM_THREADS: String(threads) };
    this.#child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#ended = once(this.#child, 'close');
    this.#child.stdin.on('error', () => {}); // the process has ended: the missing reply says why
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#errors += text;
    });
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** The next line that it prints. */
  async reply() {
    const { value, done } = await this.#lines.next();
    if (done) {
      const [, signal] = await this.#ended;
      const problem = `${this.#errors}\n${this.#child.spawnargs.slice(0, 2).join(' ')} ended early`;
      if (signal === 'SIGSEGV' || signal === 'SIGABRT')
        throw new SideFault(`${problem} (${signal}).`, 'crashed');
      throw new SetupProblem(`${problem}.`);
    }
    return JSON.parse(value);
  }

  /** @param {'round' | 'end'} what */
  ask(what) {
    this.#child.stdin.write(`${what}\n`);
    return this.reply();
  }

  stop() {
    this.#child.kill();
  }
}
