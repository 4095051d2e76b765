/** What the state machines of persistence say: to the client that asked, and to the log. */

export interface ReplyEffect {
  readonly type: 'reply';
  readonly text: string;
  readonly error: boolean;
}

export interface LogEffect {
  readonly type: 'log';
  readonly level: 'notice' | 'warning';
  readonly text: string;
}

export const notice = (text: string): LogEffect => ({ type: 'log', level: 'notice', text });
export const warning = (text: string): LogEffect => ({ type: 'log', level: 'warning', text });
export const status = (text: string): ReplyEffect => ({ type: 'reply', text, error: false });
export const error = (text: string): ReplyEffect => ({ type: 'reply', text, error: true });

/** The reply among effects, if there is one. */
export function replyOf(effects: readonly { readonly type: string }[]): ReplyEffect | undefined {
  return effects.find((effect): effect is ReplyEffect => effect.type === 'reply');
}

/** Seconds. */
export const unixTime = (): number => Math.floor(Date.now() / 1000);
