// An authority that does what it is told: for the faults a real one cannot be made to have.

import { generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import {
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { openFileStorage } from '../../../../src/primary/acme/storage-file.ts';

export type Step =
  | 'directory'
  | 'nonce'
  | 'account'
  | 'order'
  | 'authz'
  | 'challenge'
  | 'finalize'
  | 'status'
  | 'cert';

export type Fault =
  | {
      readonly status?: number;
      readonly type?: string;
      readonly headers?: Record<string, string>;
      readonly body: string;
    }
  | 'silence'
  | 'cut';

export interface FakeCa {
  readonly directory: string;
  readonly calls: string[];
  /** What happens instead, at these steps. */
  readonly faults: Map<Step, Fault>;
  /** Of the certificates it signs. */
  lifetime: number;
  backdated: number;
  /** Instead of those that were asked for. */
  names: readonly string[] | null;
  /** Instead of `valid`. */
  authzStatus: string | null;
  orderStatus: string | null;
  /** Milliseconds before the certificate is given. */
  delay: number;
  /** An account it takes, in this file, so that no test waits for a key to be made. */
  seed(storage: string, resolver?: string): Promise<void>;
}

export function problem(
  kind: string,
  detail: string,
  more: { status?: number; headers?: Record<string, string> } = {},
): Fault {
  const body = JSON.stringify({ type: `urn:ietf:params:acme:error:${kind}`, detail });
  return { status: 400, type: 'application/problem+json', body, ...more };
}

const accountKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs1',
  format: 'pem',
});
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const issuer = webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

export async function startFakeCa(t: Pick<TestContext, 'after'>): Promise<FakeCa> {
  const orders: { names: string[]; cert: string | null; authorized: boolean }[] = [];
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ca: FakeCa = {
    directory: `${base}/directory`,
    calls: [],
    faults: new Map(),
    lifetime: 90 * 86_400_000,
    backdated: 1000,
    names: null,
    authzStatus: null,
    orderStatus: null,
    delay: 0,
    async seed(path, resolver = 'main') {
      const storage = await openFileStorage(path, resolver);
      await storage.withLease('seed', (lease) =>
        storage.saveAccount(
          {
            email: 'a@b.c',
            uri: `${base}/account/1`,
            registration: { status: 'valid' },
            key: String(accountKey),
          },
          lease,
        ),
      );
      await storage.close();
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, step = '', id = '0'] = (request.url ?? '').split('/');
    ca.calls.push(step);
    let body = '';
    for await (const chunk of request) body += String(chunk);
    response.setHeader('replay-nonce', randomBytes(16).toString('base64url'));
    const fault = ca.faults.get(step as Step);
    if (fault === 'silence') return;
    if (fault === 'cut') return void request.socket.destroy();
    if (fault !== undefined) {
      response.writeHead(fault.status ?? 200, {
        'content-type': fault.type ?? 'application/json',
        ...fault.headers,
      });
      return void response.end(fault.body);
    }
    const payload = payloadOf(body);
    const send = (value: object, headers: Record<string, string> = {}, status = 200): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(value));
    };
    const order = orders[Number(id)];
    const orderView = (at: number): object => {
      const { names, cert, authorized } = orders[at] as (typeof orders)[number];
      const status = cert !== null ? 'valid' : authorized ? 'ready' : 'pending';
      return {
        status: ca.orderStatus ?? status,
        identifiers: names.map((value) => ({ type: 'dns', value })),
        authorizations: [`${base}/authz/${at}`],
        finalize: `${base}/finalize/${at}`,
        ...(cert === null ? {} : { certificate: `${base}/cert/${at}` }),
      };
    };
    if (step === 'directory') {
      send({ newNonce: `${base}/nonce`, newAccount: `${base}/account`, newOrder: `${base}/order` });
    } else if (step === 'nonce') response.writeHead(200).end();
    else if (step === 'account') send({ status: 'valid' }, { location: `${base}/account/1` }, 201);
    else if (step === 'order') {
      const { identifiers = [] } = payload as { identifiers?: { value: string }[] };
      orders.push({ names: identifiers.map(({ value }) => value), cert: null, authorized: false });
      send(orderView(orders.length - 1), { location: `${base}/status/${orders.length - 1}` }, 201);
    } else if (order === undefined) send({ detail: 'no such order' }, {}, 404);
    else if (step === 'status') send(orderView(Number(id)));
    else if (step === 'challenge') {
      order.authorized = true;
      send({ type: 'http-01', status: 'processing', token: 'tok', url: `${base}/challenge/${id}` });
    } else if (step === 'authz') {
      const status = order.authorized ? (ca.authzStatus ?? 'valid') : 'pending';
      const error = { type: 'urn:ietf:params:acme:error:unauthorized', detail: 'saw a 404 at the door' };
      const challenge = {
        type: 'http-01',
        status,
        url: `${base}/challenge/${id}`,
        token: 'token-of-the-fake',
        error,
      };
      send({ status, identifier: { type: 'dns', value: order.names[0] }, challenges: [challenge] });
    } else if (step === 'finalize') {
      await new Promise((resolve) => setTimeout(resolve, ca.delay));
      order.cert = await sign(String((payload as { csr?: string }).csr), order.names, ca);
      send(orderView(Number(id)));
    } else {
      response.writeHead(200, { 'content-type': 'application/pem-certificate-chain' });
      response.end(order.cert);
    }
  }
  return ca;
}

function payloadOf(body: string): unknown {
  if (body === '') return {};
  const { payload = '' } = JSON.parse(body) as { payload?: string };
  return payload === '' ? {} : JSON.parse(Buffer.from(payload, 'base64url').toString());
}

async function sign(
  csr: string,
  asked: readonly string[],
  { names, lifetime, backdated }: FakeCa,
): Promise<string> {
  const request = new Pkcs10CertificateRequest(Buffer.from(csr, 'base64url'));
  const keys = await issuer;
  const notBefore = new Date(Date.now() - backdated);
  const certificate = await X509CertificateGenerator.create(
    {
      subject: '',
      issuer: 'CN=Fake',
      notBefore,
      notAfter: new Date(notBefore.getTime() + lifetime),
      publicKey: request.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: algorithm,
      serialNumber: `01${randomBytes(8).toString('hex')}`,
      extensions: [
        new SubjectAlternativeNameExtension((names ?? asked).map((value) => ({ type: 'dns', value }))),
      ],
    },
    webcrypto as never,
  );
  return `${certificate.toString('pem')}\n`;
}
