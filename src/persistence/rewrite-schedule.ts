/**
 * When the append-only file is rewritten, and what becomes of it: (state, event) -> (state, effects), without files,
 * clocks or processes.
 *
 *            enable                     rewritten
 *   off ---------------> waiting ----------------------> on
 *    ^                     |  ^ \                         |
 *    |        not possible |  |  `- failed: once more     |
 *    +---------------------+--+------------ disable ------+
 *
 * While it is waiting, increments go to a temporary file beside the rewrite that will make a base for them; before
 * the first rewrite has begun, nothing is written. A rewrite may also run with the file off (BGREWRITEAOF): it then
 * replaces what lies on disk.
 */

import { error, type LogEffect, notice, type ReplyEffect, status, warning } from './effects.js';

export type AofMode = 'off' | 'waiting' | 'on';

export interface RewriteState {
  readonly mode: AofMode;
  readonly rewriting: boolean;
  /** One is to begin as soon as nothing else is in the way. */
  readonly scheduled: boolean;
  readonly lastOk: boolean;
  /** Failures since the last success. */
  readonly failures: number;
  /** After three of them, how long to wait before the next try, and until when (0: not known yet); seconds. */
  readonly delayMinutes: number;
  readonly notBefore: number;
}

export const INITIAL: RewriteState = {
  mode: 'off',
  rewriting: false,
  scheduled: false,
  lastOk: true,
  failures: 0,
  delayMinutes: 0,
  notBefore: 0,
};

/** Who is in the way of a rewrite. */
export interface Obstacles {
  /** Somebody else saves. */
  readonly saving: boolean;
  /** The running command is part of a transaction, of which no file may have only a half. */
  readonly inTransaction: boolean;
}

export type RewriteEvent =
  | ({ readonly type: 'enable' } & Obstacles)
  | { readonly type: 'disable' }
  /** BGREWRITEAOF */
  | ({ readonly type: 'request' } & Obstacles)
  | {
      readonly type: 'tick';
      readonly saving: boolean;
      /** Unix time, seconds. */
      readonly now: number;
      /** Bytes: of all files, and of them after the last rewrite. */
      readonly size: number;
      readonly baseSize: number;
      readonly percentage: number;
      readonly minSize: number;
    }
  /** The answer to the effect `start`. */
  | { readonly type: 'started' }
  | { readonly type: 'not-started' }
  /** How a rewrite ended. */
  | { readonly type: 'rewritten' }
  | { readonly type: 'failed' }
  | { readonly type: 'cancelled' };

export type RewriteEffect =
  /** Opens an increment and begins to write the base; `started` or `not-started` is to follow at once. */
  | { readonly type: 'start' }
  | { readonly type: 'cancel' }
  /** Flushes and closes the increment. */
  | { readonly type: 'stop-writing' }
  /** The temporary increment is of no use: closes and removes it. */
  | { readonly type: 'drop-increment' }
  | { readonly type: 'forget-errors' }
  | ReplyEffect
  | LogEffect;

export interface Transition {
  readonly state: RewriteState;
  readonly effects: readonly RewriteEffect[];
}

const FAILURES_BEFORE_DELAY = 3;
const LONGEST_DELAY_MINUTES = 60;

const START: RewriteEffect = { type: 'start' };

export function rewriteStep(state: RewriteState, event: RewriteEvent): Transition {
  switch (event.type) {
    case 'enable':
      return enable(state, event);
    case 'disable':
      return disable(state);
    case 'request':
      return request(state, event);
    case 'tick':
      return tick(state, event);
    case 'started':
      return { state: { ...state, rewriting: true, scheduled: false }, effects: [] };
    case 'not-started':
      return { state: { ...state, lastOk: false }, effects: [] };
    case 'rewritten':
      return {
        state: {
          ...state,
          rewriting: false,
          lastOk: true,
          failures: 0,
          mode: state.mode === 'waiting' ? 'on' : state.mode,
        },
        effects: [],
      };
    case 'failed':
      return ended({ ...state, lastOk: false, failures: state.failures + 1 });
    case 'cancelled':
      return ended(state);
  }
}

function enable(state: RewriteState, { saving, inTransaction }: Obstacles): Transition {
  const waiting: RewriteState = { ...state, mode: 'waiting' };
  if (saving) {
    return {
      state: { ...waiting, scheduled: true },
      effects: [
        notice(
          'AOF was enabled but there is already another background operation. An AOF background was scheduled to ' +
            'start when possible.',
        ),
        { type: 'forget-errors' },
      ],
    };
  }
  if (inTransaction) {
    return {
      state: { ...waiting, scheduled: true },
      effects: [
        notice(
          'AOF was enabled during a transaction. An AOF background was scheduled to start when possible.',
        ),
        { type: 'forget-errors' },
      ],
    };
  }
  if (!state.rewriting) return { state: waiting, effects: [START, { type: 'forget-errors' }] };
  // The one that is running has no increment beside it.
  return {
    state: { ...waiting, rewriting: false },
    effects: [
      notice(
        'AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and starting ' +
          'a rewrite now.',
      ),
      { type: 'cancel' },
      START,
      { type: 'forget-errors' },
    ],
  };
}

function disable(state: RewriteState): Transition {
  const effects: RewriteEffect[] = [{ type: 'stop-writing' }];
  if (state.scheduled)
    effects.push(notice('AOF was disabled but there is a scheduled AOF background, cancel it.'));
  if (state.rewriting) effects.push({ type: 'cancel' });
  return { state: { ...state, mode: 'off', scheduled: false, rewriting: false }, effects };
}

function request(state: RewriteState, { saving, inTransaction }: Obstacles): Transition {
  if (state.rewriting)
    return { state, effects: [error('Background append only file rewriting already in progress')] };
  if (saving || inTransaction) {
    return {
      state: { ...state, scheduled: true, failures: 0 },
      effects: [
        notice('Background append only file rewriting scheduled.'),
        status('Background append only file rewriting scheduled'),
      ],
    };
  }
  return { state, effects: [START] };
}

function tick(state: RewriteState, event: Extract<RewriteEvent, { type: 'tick' }>): Transition {
  if (state.rewriting || event.saving) return { state, effects: [] };
  const { size, baseSize, percentage, minSize } = event;
  const growth = Math.floor((size * 100) / (baseSize || 1)) - 100;
  const grown = state.mode === 'on' && percentage > 0 && size > minSize && growth >= percentage;
  if (!state.scheduled && !grown) return { state, effects: [] };
  const { allowed, ...limited } = limit(state, event.now);
  if (!allowed) return limited;
  const effects: RewriteEffect[] = [];
  if (!state.scheduled) effects.push(notice(`Starting automatic rewriting of AOF on ${growth}% growth`));
  return { state: limited.state, effects: [...effects, START] };
}

/** A disk that has failed several times is left alone for a while: each try leaves an increment behind. */
function limit(state: RewriteState, now: number): Transition & { allowed: boolean } {
  if (state.failures < FAILURES_BEFORE_DELAY)
    return { allowed: true, state: { ...state, delayMinutes: 0, notBefore: 0 }, effects: [] };
  if (state.notBefore !== 0) {
    if (now < state.notBefore) return { allowed: false, state, effects: [] };
    return { allowed: true, state: { ...state, notBefore: 0 }, effects: [] };
  }
  const delayMinutes = state.delayMinutes === 0 ? 1 : Math.min(state.delayMinutes * 2, LONGEST_DELAY_MINUTES);
  return {
    allowed: false,
    state: { ...state, delayMinutes, notBefore: now + delayMinutes * 60 },
    effects: [
      warning(
        `Background AOF rewrite has repeatedly failed and triggered the limit, will retry in ${delayMinutes} minutes`,
      ),
    ],
  };
}

/** A rewrite ended without a base. */
function ended(state: RewriteState): Transition {
  if (state.mode !== 'waiting') return { state: { ...state, rewriting: false }, effects: [] };
  return {
    state: { ...state, rewriting: false, scheduled: true },
    effects: [{ type: 'drop-increment' }],
  };
}
