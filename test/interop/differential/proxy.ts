/** A TCP proxy that lets a test damage what the server answers. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from './connection.js';

export class CorruptingProxy {
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly endpoint: Endpoint,
    private readonly server: Server,
  ) {}

  /** `alter` sees every chunk of replies and returns what the client gets instead; null closes the connection. */
  static start(target: Endpoint, alter: (chunk: Buffer) => Buffer | null): Promise<CorruptingProxy> {
    return new Promise((resolve, reject) => {
      const server = createServer((client) => {
        const upstream = connect({ host: target.host, port: target.port, noDelay: true });
        client.setNoDelay(true);
        for (const socket of [client, upstream]) {
          proxy.sockets.add(socket);
          socket.on('error', () => {});
          socket.on('close', () => {
            client.destroy();
            upstream.destroy();
            proxy.sockets.delete(socket);
          });
        }
        client.on('data', (chunk) => upstream.write(chunk));
        upstream.on('data', (chunk: Buffer) => {
          const altered = alter(chunk);
          if (altered === null) client.destroy();
          else client.write(altered);
        });
      });
      let proxy: CorruptingProxy;
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        if (address === null || typeof address !== 'object') return reject(new Error('no port'));
        proxy = new CorruptingProxy({ host: '127.0.0.1', port: address.port }, server);
        resolve(proxy);
      });
    });
  }

  stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
