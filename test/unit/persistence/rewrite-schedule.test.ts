import { describe, expect, test } from 'vitest';
import {
  INITIAL,
  type RewriteEffect,
  type RewriteEvent,
  type RewriteState,
  rewriteStep,
} from '../../../src/persistence/rewrite-schedule.js';

/** Runs events; `start` succeeds unless `refuse` is set. What happened, as words. */
class Bench {
  state: RewriteState;
  refuse = false;

  constructor(state: Partial<RewriteState> = {}) {
    this.state = { ...INITIAL, ...state };
  }

  send(event: RewriteEvent): string[] {
    const words: string[] = [];
    const step = (e: RewriteEvent) => {
      const { state, effects } = rewriteStep(this.state, e);
      this.state = state;
      for (const effect of effects) {
        words.push(word(effect));
        if (effect.type === 'start') step({ type: this.refuse ? 'not-started' : 'started' });
      }
    };
    step(event);
    return words;
  }

  tick(now: number, more: Partial<Extract<RewriteEvent, { type: 'tick' }>> = {}): string[] {
    return this.send({
      type: 'tick',
      saving: false,
      now,
      size: 0,
      baseSize: 0,
      percentage: 100,
      minSize: 64,
      ...more,
    });
  }
}

function word(effect: RewriteEffect): string {
  return effect.type === 'log' || effect.type === 'reply' ? `${effect.type}: ${effect.text}` : effect.type;
}

const free = { saving: false, inTransaction: false };

describe('turning it on', () => {
  test('rewrites first, and is on when that is done', () => {
    const b = new Bench();
    expect(b.send({ type: 'enable', ...free })).toEqual(['start', 'forget-errors']);
    expect(b.state).toMatchObject({ mode: 'waiting', rewriting: true });
    expect(b.send({ type: 'rewritten' })).toEqual([]);
    expect(b.state).toMatchObject({ mode: 'on', rewriting: false, lastOk: true });
  });

  test('waits for a save and for the end of a transaction', () => {
    for (const obstacle of [
      { saving: true, inTransaction: false },
      { saving: false, inTransaction: true },
    ]) {
      const b = new Bench();
      expect(b.send({ type: 'enable', ...obstacle })[0]).toMatch(/AOF background was scheduled/);
      expect(b.state).toMatchObject({ mode: 'waiting', scheduled: true, rewriting: false });
      expect(b.tick(0, { saving: true })).toEqual([]);
      expect(b.tick(0)).toEqual(['start']);
      expect(b.state).toMatchObject({ scheduled: false, rewriting: true });
    }
  });

  test('a rewrite without increment is started over', () => {
    const b = new Bench({ rewriting: true });
    expect(b.send({ type: 'enable', ...free }).slice(1)).toEqual(['cancel', 'start', 'forget-errors']);
    expect(b.state).toMatchObject({ mode: 'waiting', rewriting: true });
  });

  test('a rewrite that cannot begin leaves nothing scheduled', () => {
    const b = new Bench();
    b.refuse = true;
    b.send({ type: 'enable', ...free });
    expect(b.state).toMatchObject({ rewriting: false, scheduled: false, lastOk: false });
  });

  test('failure drops the increment and tries again', () => {
    const b = new Bench();
    b.send({ type: 'enable', ...free });
    expect(b.send({ type: 'failed' })).toEqual(['drop-increment']);
    expect(b.state).toMatchObject({ mode: 'waiting', scheduled: true, failures: 1, lastOk: false });
    expect(b.tick(0)).toEqual(['start']);
  });

  test('turning it off ends what is going on', () => {
    const b = new Bench();
    b.send({ type: 'enable', ...free });
    expect(b.send({ type: 'disable' })).toEqual(['stop-writing', 'cancel']);
    expect(b.state).toMatchObject({ mode: 'off', rewriting: false });
    b.send({ type: 'enable', saving: true, inTransaction: false });
    expect(b.send({ type: 'disable' })[1]).toMatch(/there is a scheduled AOF background, cancel it/);
    expect(b.state).toMatchObject({ mode: 'off', scheduled: false });
  });
});

describe('BGREWRITEAOF', () => {
  test('starts, is scheduled or is refused', () => {
    const b = new Bench({ mode: 'on' });
    expect(b.send({ type: 'request', ...free })).toEqual(['start']);
    expect(b.send({ type: 'request', ...free })).toEqual([
      'reply: Background append only file rewriting already in progress',
    ]);
    b.send({ type: 'rewritten' });
    expect(b.send({ type: 'request', saving: false, inTransaction: true })).toContain(
      'reply: Background append only file rewriting scheduled',
    );
    expect(b.tick(0)).toEqual(['start']);
  });

  test('cancelling is no failure', () => {
    const b = new Bench({ mode: 'on' });
    b.send({ type: 'request', ...free });
    b.send({ type: 'cancelled' });
    expect(b.state).toMatchObject({ rewriting: false, scheduled: false, failures: 0, lastOk: true });
  });
});

describe('growth', () => {
  test('beyond the percentage and the least size starts a rewrite', () => {
    const b = new Bench({ mode: 'on' });
    expect(b.tick(0, { size: 199, baseSize: 100 })).toEqual([]);
    expect(b.tick(0, { size: 200, baseSize: 100, percentage: 0 })).toEqual([]);
    expect(b.tick(0, { size: 200, baseSize: 100, minSize: 200 })).toEqual([]);
    expect(b.tick(0, { size: 200, baseSize: 100 })).toEqual([
      'log: Starting automatic rewriting of AOF on 100% growth',
      'start',
    ]);
    expect(b.tick(0, { size: 900, baseSize: 100 })).toEqual([]);
  });

  test('does not matter while it is off', () => {
    expect(new Bench().tick(0, { size: 1000, baseSize: 1 })).toEqual([]);
  });

  test('after three failures tries become rarer, up to an hour', () => {
    const b = new Bench({ mode: 'on' });
    const grown = { size: 1000, baseSize: 1 };
    let now = 1000;
    for (let i = 0; i < 3; i++) {
      expect(b.tick(now, grown).at(-1)).toBe('start');
      b.send({ type: 'failed' });
    }
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      expect(b.tick(now, grown)).toEqual([
        `log: Background AOF rewrite has repeatedly failed and triggered the limit, will retry in ${minutes} minutes`,
      ]);
      expect(b.tick(now + minutes * 60 - 1, grown)).toEqual([]);
      now += minutes * 60;
      expect(b.tick(now, grown).at(-1)).toBe('start');
      b.send({ type: 'failed' });
    }
    // Asked for, it is tried at once.
    expect(b.send({ type: 'request', ...free })).toEqual(['start']);
    b.send({ type: 'rewritten' });
    expect(b.tick(now, grown).at(-1)).toBe('start');
  });
});
