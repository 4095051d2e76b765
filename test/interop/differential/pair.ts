/**
 * The same connection opened twice, to the subject and to the reference, and used in lock-step: the same bytes go
 * to both, and nothing else is sent anywhere until both have answered, so that both servers see one order.
 */
import { Connection, type Endpoint } from './connection.js';
import { type RuleName, rules } from './explained.js';
import type { Note } from './grammar/pattern.js';
import { encode, formatBytes, parseReply, type Reply } from './resp.js';

export interface Sides {
  readonly subject: Endpoint;
  readonly reference: Endpoint;
}

export interface Command {
  readonly args: readonly string[];
  /** The rule that explains a difference of replies; without it they must be the same bytes. */
  readonly rule?: RuleName;
  /** No reply is due (CLIENT REPLY OFF or SKIP is in force). */
  readonly silent?: true;
  /** The server closes the connection after this command's reply. */
  readonly closes?: true;
}

export interface Mismatch {
  /** Index into the commands of the exchange, or -1 when none can be named. */
  readonly index: number;
  /** Replies are missing: any command of the pipeline may be the cause, `index` is only the first without one. */
  readonly lost?: true;
  /** Of an episode that has steps: the one that differs. */
  readonly step?: number;
  readonly subject: string;
  readonly reference: string;
}

export class Pair {
  private constructor(
    readonly subject: Connection,
    readonly reference: Connection,
  ) {}

  static async open(sides: Sides, patience?: number): Promise<Pair> {
    return new Pair(
      await Connection.open(sides.subject, patience),
      await Connection.open(sides.reference, patience),
    );
  }

  get closed(): boolean {
    return this.subject.closed || this.reference.closed;
  }

  close(): void {
    this.subject.close();
    this.reference.close();
  }

  /** Sends the commands as one pipeline, cut at `cuts` (byte offsets, ascending), and compares every reply. */
  async exchange(
    commands: readonly Command[],
    cuts: readonly number[] = [],
    note?: Note,
  ): Promise<Mismatch | null> {
    let request = '';
    let due = 0;
    for (const command of commands) {
      request += encode(command.args);
      if (command.silent === undefined) due++;
    }
    const pieces: string[] = [];
    let from = 0;
    for (const cut of cuts) {
      if (cut > from && cut < request.length) pieces.push(request.slice(from, cut));
      if (cut > from && cut < request.length) from = cut;
    }
    pieces.push(from === 0 ? request : request.slice(from));
    const closes = commands[commands.length - 1]?.closes === true;
    const expected = closes ? Number.POSITIVE_INFINITY : due;
    const [subjectOutcome, referenceOutcome] = await Promise.all([
      this.subject.exchange(pieces, expected),
      this.reference.exchange(pieces, expected),
    ]);
    return this.compare(commands, due, subjectOutcome, referenceOutcome, note);
  }

  private tell(commands: readonly Command[], note: Note): void {
    let reply = 0;
    for (const command of commands) {
      note(command, command.silent ? '' : String.fromCharCode(this.subject.frame(reply++)[0]!));
    }
  }

  private compare(
    commands: readonly Command[],
    due: number,
    subjectOutcome: string,
    referenceOutcome: string,
    note?: Note,
  ): Mismatch | null {
    const { subject, reference } = this;
    const ended = subjectOutcome === referenceOutcome;
    if (ended && subjectOutcome !== 'timeout' && subject.received.equals(reference.received)) {
      if (subject.replyCount === due) {
        if (note !== undefined) this.tell(commands, note);
        return null;
      }
    }
    const describe = (connection: Connection, outcome: string): string =>
      `${connection.replyCount} of ${due} replies, ${outcome} ${connection.violation}`;
    let reply = 0;
    for (let index = 0; index < commands.length; index++) {
      const command = commands[index]!;
      if (command.silent) continue;
      const lacking = [subject, reference].some((connection) => connection.replyCount <= reply);
      if (lacking) {
        const shown = (connection: Connection, outcome: string): string =>
          connection.replyCount > reply
            ? formatBytes(connection.frame(reply))
            : describe(connection, outcome);
        return {
          index,
          lost: true,
          subject: shown(subject, subjectOutcome),
          reference: shown(reference, referenceOutcome),
        };
      }
      const a = subject.frame(reply);
      const b = reference.frame(reply);
      reply++;
      if (a.equals(b)) continue;
      if (command.rule !== undefined && rules[command.rule].same(parseReply(a), parseReply(b))) continue;
      return { index, subject: formatBytes(a), reference: formatBytes(b) };
    }
    if (!ended || subject.replyCount !== reference.replyCount || subject.replyCount !== due) {
      return {
        index: commands.length - 1,
        subject: describe(subject, subjectOutcome),
        reference: describe(reference, referenceOutcome),
      };
    }
    const [pushedToSubject, pushedToReference] = [subject.pushed.join(''), reference.pushed.join('')];
    if (pushedToSubject !== pushedToReference) {
      return { index: -1, subject: `pushes ${pushedToSubject}`, reference: `pushes ${pushedToReference}` };
    }
    if (note !== undefined) this.tell(commands, note);
    return null;
  }

  /** One command on both sides, replies parsed and not compared. */
  call(...args: string[]): Promise<[Reply, Reply]> {
    return Promise.all([this.subject.call(...args), this.reference.call(...args)]);
  }
}
