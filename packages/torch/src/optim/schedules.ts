/** The learning rate of each step, or epoch, counted from 0. */
export type Schedule = (step: number) => number;

/** Half a cosine from `initial` to `final` over `steps` steps (Loshchilov & Hutter 2017, without restarts). */
export function cosineSchedule(initial: number, steps: number, final = 0): Schedule {
  return (step) =>
    final + ((initial - final) * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps))) / 2;
}

/** `initial` (1 - step / steps)^power, down to 0 over `steps` steps: the "poly" policy of DeepLab (Chen et al. 2018, 4.1). */
export function polySchedule(initial: number, steps: number, power = 0.9): Schedule {
  return (step) => initial * Math.max(0, 1 - step / steps) ** power;
}

/** Starts at `initial` and multiplies by `factor` after every `every` steps. */
export function stepSchedule(initial: number, every: number, factor = 0.1): Schedule {
  return (step) => initial * factor ** Math.floor(step / every);
}

/** Multiplies `schedule` by a factor that rises linearly from 1/steps to 1 over the first `steps` steps. */
export function warmUp(schedule: Schedule, steps: number): Schedule {
  return (step) => schedule(step) * Math.min(1, (step + 1) / steps);
}
