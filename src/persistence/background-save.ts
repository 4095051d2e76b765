/**
 * When a background save of the data set begins, and what is said of it: BGSAVE and its options, the points of `save`,
 * and the tries that follow a failure. Pure: (state, event) -> (state, effects); rdb.ts does what the effects say.
 */
import type { SavePoint } from '../config/special.js';
import { error, type LogEffect, notice, type ReplyEffect, status, warning } from './effects.js';

/** Seconds after a failure in which the points of `save` do not try again. */
const RETRY_DELAY = 5;

export interface SaveState {
  /** When the save that is under way began (Unix time, seconds), null: none is. */
  readonly began: number | null;
  /** One is to begin as soon as nothing is in the way. */
  readonly scheduled: boolean;
  /** When the last one was tried. */
  readonly lastTry: number;
  readonly lastOk: boolean;
  /** How long the last one took, seconds; -1: there was none. */
  readonly lastSeconds: number;
}

export const NO_SAVE: SaveState = {
  began: null,
  scheduled: false,
  lastTry: 0,
  lastOk: true,
  lastSeconds: -1,
};

export type SaveEvent =
  /** BGSAVE [SCHEDULE | CANCEL] */
  | {
      readonly type: 'request';
      readonly schedule: boolean;
      readonly rewriting: boolean;
      readonly inTransaction: boolean;
    }
  | { readonly type: 'cancel'; readonly now: number }
  | {
      readonly type: 'tick';
      readonly now: number;
      readonly rewriting: boolean;
      /** Changes since the last save, and when that was. */
      readonly changes: number;
      readonly lastSave: number;
      readonly points: readonly SavePoint[];
    }
  /** The answers to the effect `start`. */
  | { readonly type: 'started'; readonly now: number }
  | { readonly type: 'not-started'; readonly now: number }
  /** The save that is under way, if there is one, is of no use any more. */
  | { readonly type: 'abandon'; readonly now: number; readonly why: string }
  /** How a save ended. */
  | { readonly type: 'ended'; readonly now: number; readonly ok: boolean };

export type SaveEffect =
  /** `started` or `not-started` is to follow at once. */
  | { readonly type: 'start' }
  /** Ends the save that is under way. */
  | { readonly type: 'abort' }
  | ReplyEffect
  | LogEffect;

export interface SaveTransition {
  readonly state: SaveState;
  readonly effects: readonly SaveEffect[];
}

const START: SaveEffect = { type: 'start' };

export function saveStep(state: SaveState, event: SaveEvent): SaveTransition {
  switch (event.type) {
    case 'request':
      return request(state, event);
    case 'cancel':
      return cancel(state, event.now);
    case 'tick':
      return tick(state, event);
    case 'started':
      return { state: { ...state, began: event.now, lastTry: event.now, scheduled: false }, effects: [] };
    case 'not-started':
      return { state: { ...state, lastTry: event.now, lastOk: false }, effects: [] };
    case 'abandon':
      return state.began === null
        ? { state, effects: [] }
        : {
            state: { ...state, began: null, lastSeconds: event.now - state.began },
            effects: [warning(event.why), { type: 'abort' }],
          };
    case 'ended':
      return {
        state: {
          ...state,
          began: null,
          lastOk: event.ok,
          lastSeconds: event.now - (state.began ?? event.now),
        },
        effects: [
          event.ok ? notice('Background saving terminated with success') : warning('Background saving error'),
        ],
      };
  }
}

function request(state: SaveState, event: Extract<SaveEvent, { type: 'request' }>): SaveTransition {
  if (state.began !== null) return { state, effects: [error('Background save already in progress')] };
  if (!event.rewriting && !event.inTransaction) return { state, effects: [START] };
  if (!event.schedule && !event.inTransaction) {
    return {
      state,
      effects: [
        error(
          "Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a " +
            'BGSAVE whenever possible.',
        ),
      ],
    };
  }
  const why = event.schedule ? 'due to user request' : 'to run after transaction execution';
  return {
    state: { ...state, scheduled: true },
    effects: [notice(`Background saving scheduled ${why}`), status('Background saving scheduled')],
  };
}

function cancel(state: SaveState, now: number): SaveTransition {
  if (state.began !== null) {
    return {
      state: { ...state, began: null, lastSeconds: now - state.began },
      effects: [
        notice('Background saving will be aborted due to user request'),
        { type: 'abort' },
        status('Background saving cancelled'),
      ],
    };
  }
  if (!state.scheduled) {
    return { state, effects: [error('Background saving is currently not in progress or scheduled')] };
  }
  return {
    state: { ...state, scheduled: false },
    effects: [
      notice('Scheduled background saving will be cancelled due to user request'),
      status('Scheduled background saving cancelled'),
    ],
  };
}

function tick(state: SaveState, event: Extract<SaveEvent, { type: 'tick' }>): SaveTransition {
  const { now, changes, lastSave } = event;
  const mayTry = state.lastOk || now - state.lastTry > RETRY_DELAY;
  if (state.began !== null || event.rewriting || !mayTry) return { state, effects: [] };
  const point = event.points.find((p) => changes >= p.changes && now - lastSave > p.seconds);
  if (point !== undefined) {
    return {
      state,
      effects: [notice(`${point.changes} changes in ${point.seconds} seconds. Saving...`), START],
    };
  }
  return { state, effects: state.scheduled ? [START] : [] };
}
