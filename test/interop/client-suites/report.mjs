/** Reports of test runners, and what three of them say together. */

/**
 * @typedef {{ outcome: 'passed' | 'failed' | 'skipped', message: string }} Case
 * @typedef {Map<string, Case>} Report cases by file and full title
 */

const ENTITIES = { quot: '"', apos: "'", lt: '<', gt: '>', amp: '&', '#10': '\n' };
const decode = (text) => text.replace(/&(quot|apos|lt|gt|amp|#10);/g, (_, name) => ENTITIES[name]);

/** The report in `text`: mocha's or vitest's JSON, or JUnit's XML. @returns {Report} */
export function readReport(text) {
  const report = new Map();
  const add = (name, outcome, message = '') => {
    let unique = name;
    for (let n = 2; report.has(unique); n++) unique = `${name} (${n})`;
    report.set(unique, { outcome, message: message.replace(/\s+/g, ' ').slice(0, 300) });
  };
  if (text.trimStart().startsWith('<')) {
    for (const [, attributes, , body = ''] of text.matchAll(/<testcase ([^>]*?)(\/>|>(.*?)<\/testcase>)/gs)) {
      const of = Object.fromEntries(
        [...attributes.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, decode(value)]),
      );
      const failure = /<(?:failure|error)[^>]*?message="([^"]*)"/.exec(body);
      const outcome = failure !== null ? 'failed' : body.includes('<skipped') ? 'skipped' : 'passed';
      add(`${of.classname} :: ${of.name}`, outcome, decode(failure?.[1] ?? ''));
    }
    return report;
  }
  const json = JSON.parse(text);
  if (json.testResults !== undefined) {
    for (const file of json.testResults) {
      for (const { fullName, status, failureMessages } of file.assertionResults) {
        const outcome = status === 'passed' || status === 'failed' ? status : 'skipped';
        add(`${file.name} :: ${fullName}`, outcome, failureMessages?.[0]);
      }
    }
    return report;
  }
  for (const [list, outcome] of [
    [json.passes, 'passed'],
    [json.failures, 'failed'],
    [json.pending, 'skipped'],
  ]) {
    for (const { file, fullTitle, err } of list) add(`${file} :: ${fullTitle}`, outcome, err?.message);
  }
  return report;
}

/**
 * Sorts the cases that Valkey has. A case that `without` does not have, because a hook before it failed, has not passed.
 * @param {{ valkey: Report, kvasir: Report, without: Report }} reports
 * @returns {Record<string, { name: string, message: string }[]>} each with what Kvasir's run says about it
 */
export function compare({ valkey, kvasir, without }) {
  const result = {
    'passes on both': [],
    'fails on both': [],
    'waits for commands that Kvasir lacks': [],
    'fails on Valkey only': [],
    'fails on Kvasir only': [],
  };
  const passes = (report, name) => report.get(name)?.outcome === 'passed';
  for (const [name, { outcome, message }] of valkey) {
    if (outcome === 'skipped') continue;
    const good = outcome === 'passed';
    const kind = passes(kvasir, name)
      ? good
        ? 'passes on both'
        : 'fails on Valkey only'
      : !good
        ? 'fails on both'
        : passes(without, name)
          ? 'fails on Kvasir only'
          : 'waits for commands that Kvasir lacks';
    result[kind].push({
      name,
      message: kind === 'fails on Valkey only' ? message : (kvasir.get(name)?.message ?? 'not run'),
    });
  }
  return result;
}
