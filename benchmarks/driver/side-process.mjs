import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { SetupProblem } from '../../packages/torch/scripts/setup-problem.mjs';

/** A side that a fault of libtorch's ended. */
export class Crash extends SetupProblem {}

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
      if (signal === 'SIGSEGV' || signal === 'SIGABRT') throw new Crash(`${problem} (${signal}).`);
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
