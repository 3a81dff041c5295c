/** When to try again: policy only, no timer. */

export const FIRST_DELAY_S = 1;
export const MAX_DELAY_S = 60;
export const MAX_ASKED_DELAY_S = 3600;

/** The documented steps, exactly. */
export const noJitter = (delayS) => delayS;

/** Three quarters of the step to the whole of it: pages that lost one server do not come back at one moment. */
export const spread = (delayS) => delayS * (0.75 + Math.random() * 0.25);

/** Seconds to wait before each try: doubling from `firstS` up to `capS`. */
export function* backoff({ firstS = FIRST_DELAY_S, capS = MAX_DELAY_S, tries = Infinity, jitter = noJitter } = {}) {
  for (let step = 0; step < tries; step += 1) yield jitter(Math.min(firstS * 2 ** Math.min(step, 63), capS));
}

/** The wait before the next try, or null where there will be none. `steps`: a running `backoff`. */
export function nextWait(steps, error) {
  if (!error.retryable) return null;
  const { value, done } = steps.next();
  return done ? null : Math.max(value, Math.min(error.retryAfterS ?? 0, MAX_ASKED_DELAY_S));
}
