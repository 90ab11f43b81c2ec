import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { SetupProblem } from '../../packages/torch/scripts/setup-problem.mjs';

/** A crash of libtorch that ended a side. */
export class Crash extends SetupProblem {}

/**
 * One side of a benchmark: a process that answers each line of input with a line of JSON. Between its turns it sleeps, so
 * the other sides have the machine to themselves.
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
   * @param {Record<string, string>} [more] environment variables
   */
  constructor(command, args, threads, more = {}) {
    // OpenBLAS has its own threads. On PyTorch's side, only the environment can set their number.
    const env = { ...process.env, OMP_NUM_THREADS: String(threads), ...more };
    this.#child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#ended = once(this.#child, 'close');
    this.#child.stdin.on('error', () => {}); // if the process has ended, the missing reply reports why
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#errors += text;
    });
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** Waits for the next line of the process's output and parses it. */
  async reply() {
    const { value, done } = await this.#lines.next();
    if (done) {
      const [, signal] = await this.#ended;
      const problem = `${this.#errors}\n${this.#child.spawnargs.slice(0, 2).join(' ')} ended prematurely`;
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
