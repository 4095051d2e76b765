import { expect, test } from 'vitest';
import {
  NO_SAVE,
  type SaveEffect,
  type SaveEvent,
  type SaveState,
  saveStep,
} from '../../src/persistence/background-save.js';

const texts = (effects: readonly SaveEffect[]): string[] =>
  effects.map((e) =>
    e.type === 'reply' ? `${e.error ? '-' : '+'}${e.text}` : e.type === 'log' ? e.text : e.type,
  );

/** Applies events in turn; `start` succeeds at once. Gives what was said, and the state at the end. */
function run(events: SaveEvent[], from: SaveState = NO_SAVE): { said: string[]; state: SaveState } {
  const said: string[] = [];
  let state = from;
  for (const event of events) {
    const step = saveStep(state, event);
    state = step.state;
    said.push(...texts(step.effects));
    if (step.effects.some(({ type }) => type === 'start')) {
      state = saveStep(state, { type: 'started', now: 'now' in event ? event.now : 100 }).state;
    }
  }
  return { said, state };
}

const request = { type: 'request', schedule: false, rewriting: false, inTransaction: false } as const;
const tick = {
  type: 'tick',
  now: 1000,
  rewriting: false,
  changes: 0,
  lastSave: 900,
  points: [
    { seconds: 3600, changes: 1 },
    { seconds: 60, changes: 100 },
  ],
} as const;

test('BGSAVE begins at once, and only one at a time', () => {
  const { said, state } = run([request, request, { type: 'ended', now: 103, ok: true }]);
  expect(said).toEqual([
    'start',
    '-Background save already in progress',
    'Background saving terminated with success',
  ]);
  expect(state).toEqual({ ...NO_SAVE, lastTry: 100, lastSeconds: 3 });
});

test('beside a rewrite it is refused, or waits for its end if that is wanted', () => {
  const refused = run([{ ...request, rewriting: true }]);
  expect(refused.said[0]).toMatch(/^-Another child process is active \(AOF\?\): can't BGSAVE right now\./);
  const { said } = run([
    { ...request, rewriting: true, schedule: true },
    { ...tick, rewriting: true },
    tick,
    { ...tick, now: 1001 },
  ]);
  expect(said).toEqual([
    'Background saving scheduled due to user request',
    '+Background saving scheduled',
    'start',
  ]);
});

test('in a transaction it waits for the end of that', () => {
  const { said } = run([{ ...request, inTransaction: true }, tick]);
  expect(said).toEqual([
    'Background saving scheduled to run after transaction execution',
    '+Background saving scheduled',
    'start',
  ]);
});

test('CANCEL ends what runs, or what is scheduled, or complains', () => {
  const cancel = { type: 'cancel', now: 105 } as const;
  const { said, state } = run([
    request,
    cancel,
    { ...request, rewriting: true, schedule: true },
    cancel,
    cancel,
  ]);
  expect(said.filter((line) => /^[-+]|^abort$/.test(line))).toEqual([
    'abort',
    '+Background saving cancelled',
    '+Background saving scheduled',
    '+Scheduled background saving cancelled',
    '-Background saving is currently not in progress or scheduled',
  ]);
  expect(state).toMatchObject({ began: null, scheduled: false, lastOk: true, lastSeconds: 5 });
});

test('a point of `save` is reached by changes and time', () => {
  expect(run([{ ...tick, changes: 99 }]).said).toEqual([]);
  expect(run([{ ...tick, changes: 100 }]).said).toEqual(['100 changes in 60 seconds. Saving...', 'start']);
  expect(run([{ ...tick, changes: 100, lastSave: 940 }]).said).toEqual([]);
  expect(run([{ ...tick, changes: 1, now: 4501 }]).said).toEqual([
    '1 changes in 3600 seconds. Saving...',
    'start',
  ]);
});

test('after a failure the next try waits a little', () => {
  const failed = run([
    { ...tick, changes: 100 },
    { type: 'ended', now: 1002, ok: false },
  ]);
  expect(failed.state).toMatchObject({ lastOk: false, lastTry: 1000 });
  expect(run([{ ...tick, changes: 100, now: 1005 }], failed.state).said).toEqual([]);
  expect(run([{ ...tick, changes: 100, now: 1006 }], failed.state).said).toContain('start');
});

test('a save of no use any more is given up without a failure', () => {
  const abandon = { type: 'abandon', now: 107, why: 'flushed' } as const;
  expect(run([abandon]).said).toEqual([]);
  const { said, state } = run([request, abandon]);
  expect(said).toEqual(['start', 'flushed', 'abort']);
  expect(state).toMatchObject({ began: null, lastOk: true, lastSeconds: 7 });
});

test('what cannot even begin has failed', () => {
  expect(saveStep(NO_SAVE, { type: 'not-started', now: 7 }).state).toMatchObject({
    lastOk: false,
    lastTry: 7,
  });
});
