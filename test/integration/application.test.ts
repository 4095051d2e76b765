/**
 * A real application on our server: express with sessions in connect-redis and a response cache with expiry, driven by
 * many users at once and checked for right answers.
 */

import { once } from 'node:events';
import { Agent, createServer, type Server as HttpServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';

declare module 'express-session' {
  interface SessionData {
    user: string;
    visits: number;
  }
}

const CACHE_SECONDS = 1;

let server: RunningKvasir;
let http: HttpServer;
let store: Awaited<ReturnType<typeof connectStore>>;
let port: number;
/** How often the application did the work that the cache is to save, by item. */
const computed = new Map<string, number>();

async function connectStore() {
  const client = createClient({ socket: { port: server.port, host: '127.0.0.1' } });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Answers from the cache where it can; otherwise computes, and keeps the answer for a while. */
function cached(handler: (request: express.Request) => string): express.RequestHandler {
  return async (request, response) => {
    const key = `cache:${request.originalUrl}`;
    const hit = await store.get(key);
    if (hit !== null) {
      response.set('X-Cache', 'hit').send(hit);
      return;
    }
    const body = handler(request);
    await store.set(key, body, { expiration: { type: 'EX', value: CACHE_SECONDS } });
    response.set('X-Cache', 'miss').send(body);
  };
}

function application(): express.Express {
  const app = express();
  app.use(
    session({
      store: new RedisStore({ client: store, prefix: 'session:', ttl: 600 }),
      secret: 'a secret of the test',
      resave: false,
      saveUninitialized: false,
    }),
  );
  app.post('/login/:user', (request, response) => {
    request.session.user = String(request.params.user);
    request.session.visits = 0;
    response.send('welcome');
  });
  app.get('/visit', (request, response) => {
    if (request.session.user === undefined) {
      response.status(401).send('who are you?');
      return;
    }
    request.session.visits = request.session.visits! + 1;
    response.json({ user: request.session.user, visits: request.session.visits });
  });
  app.post('/logout', (request, response) => {
    request.session.destroy(() => response.send('bye'));
  });
  app.get(
    '/item/:id',
    cached((request) => {
      const id = String(request.params.id);
      computed.set(id, (computed.get(id) ?? 0) + 1);
      return `item ${id} `.repeat(1000);
    }),
  );
  return app;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A browser of one user: it keeps the cookie it is given. */
class Browser {
  cookie = '';

  fetch(method: 'GET' | 'POST', path: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = this.cookie === '' ? {} : { cookie: this.cookie };
      const sent = request({ port, host: '127.0.0.1', method, path, agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const given = response.headers['set-cookie']?.[0];
          if (given !== undefined) this.cookie = given.split(';')[0]!;
          const body = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode!, headers: response.headers, body });
        });
      });
      sent.on('error', reject);
      sent.end();
    });
  }
}

beforeAll(async () => {
  server = await startKvasir();
  store = await connectStore();
  http = createServer(application()).listen(0, '127.0.0.1');
  await once(http, 'listening');
  port = (http.address() as AddressInfo).port;
});

afterAll(async () => {
  agent.destroy();
  http.close();
  await store.close();
  await server.stop();
});

test('sessions of many users at once count exactly', { timeout: 30_000 }, async () => {
  const users = 50;
  const visits = 20;
  const browsers = Array.from({ length: users }, () => new Browser());
  await Promise.all(
    browsers.map(async (browser, i) => {
      expect((await browser.fetch('GET', '/visit')).status).toBe(401);
      expect((await browser.fetch('POST', `/login/user${i}`)).body).toBe('welcome');
      for (let n = 1; n <= visits; n++) {
        const { status, body } = await browser.fetch('GET', '/visit');
        expect(status).toBe(200);
        expect(JSON.parse(body)).toEqual({ user: `user${i}`, visits: n });
      }
    }),
  );
  expect(new Set(browsers.map(({ cookie }) => cookie)).size).toBe(users);
  const keys = await store.keys('session:*');
  expect(keys).toHaveLength(users);
  for (const key of keys) {
    const ttl = await store.ttl(key);
    expect(ttl).toBeGreaterThan(500);
    expect(ttl).toBeLessThanOrEqual(600);
  }
  await Promise.all(browsers.map((browser) => browser.fetch('POST', '/logout')));
  expect(await store.keys('session:*')).toEqual([]);
  expect((await browsers[0]!.fetch('GET', '/visit')).status).toBe(401);
});

test('the cache answers until its entries expire', { timeout: 30_000 }, async () => {
  const items = 20;
  const browser = new Browser();
  // Every item once, then under load: all but the first answer of each item come from the cache.
  const answers = new Map<string, string>();
  for (let i = 0; i < items; i++) {
    const { headers, body } = await browser.fetch('GET', `/item/${i}`);
    expect(headers['x-cache']).toBe('miss');
    answers.set(`${i}`, body);
  }
  const before = Date.now();
  const hot = await Promise.all(
    Array.from({ length: 400 }, async (_, n) => {
      const id = `${n % items}`;
      const { headers, body } = await browser.fetch('GET', `/item/${id}`);
      expect(body).toBe(answers.get(id));
      return headers['x-cache'];
    }),
  );
  // On a machine so slow that entries expired meanwhile, some may have been computed again.
  if (Date.now() - before < (CACHE_SECONDS * 1000) / 2) expect(new Set(hot)).toEqual(new Set(['hit']));
  const gone = () => store.exists(Array.from({ length: items }, (_, i) => `cache:/item/${i}`));
  await expect.poll(gone, { timeout: 10_000, interval: 20 }).toBe(0);
  const computedBefore = computed.get('7')!;
  const { headers, body } = await browser.fetch('GET', '/item/7');
  expect(headers['x-cache']).toBe('miss');
  expect(body).toBe(answers.get('7'));
  expect(computed.get('7')).toBe(computedBefore + 1);
});
