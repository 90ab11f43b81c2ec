/** The queue of the children of a run. Every run has its own, under a prefix of its own. */
export const CHILDREN = 'children';

/** Set of the runs that have children to be trained. */
export const RUNS = 'espalier:runs';

/** Channel on which a run says that it begins, changes or ends. */
export const NEWS = 'espalier:news';

/** Prefix of all keys of a run. In braces, so that a cluster keeps them on one node. */
export const prefixOf = (run: string) => `{espalier:${run}}`;

/** The keys of a run besides those of its queue. */
export function keysOfRun(run: string) {
  const prefix = prefixOf(run);
  return {
    /** The offer, as JSON: what a worker needs to know before it takes a child. */
    offer: `${prefix}:offer`,
    /** The process that coordinates the run. */
    coordinator: `${prefix}:coordinator`,
    /** Hash: the attempt that counts, of each trial that has no journaled outcome. */
    attempts: `${prefix}:attempts`,
    /** Counts all attempts: the fencing tokens. */
    tokens: `${prefix}:tokens`,
    /** List of results of attempts that had been given up. */
    late: `${prefix}:late`,
    /** Hash: what each worker says of itself. */
    workers: `${prefix}:workers`,
  };
}

/** Writes to a key of a run as long as the run is offered: nobody removes what is written to one that has ended. */
export const WRITE_TO_RUN = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if #ARGV == 1 then
  redis.call('RPUSH', KEYS[2], ARGV[1])
else
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
end
return 1`;

/** The id of a job: it follows from the run, the trial, and the attempt at it, counted from 1. */
export const jobIdOf = (run: string, trial: number, attempt: number) => `${run}-t${trial}-a${attempt}`;

/** The key whose existence says that a worker is at work on a job, as BullMQ names it. */
export const lockOf = (run: string, jobId: string) => `${prefixOf(run)}:${CHILDREN}:${jobId}:lock`;
