// The process of a collector: OTLP over HTTP (Protocol Buffers or JSON) or gRPC. Its first message says what it is, each
// other one how it behaves from then on; it answers each with its port, and ends with who started it.

import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type OtlpMessage, spansOf } from './otlp-message.ts';
import { readTraces } from './otlp-proto.ts';
import type { OtlpArrival, OtlpBehaviour, OtlpMainOptions } from './otlp-receiver.ts';

const rubbish = Buffer.from('\u0000\u0001no collector\u00ff\r\n\r\n'.repeat(40), 'latin1');

process.once('disconnect', () => process.exit());
const [options] = (await once(process, 'message')) as [OtlpMainOptions];
let behaviour: OtlpBehaviour = options.behaviour ?? 200;
const start = { http: startHttp, grpc: startGrpc, tcp: startTcp }[options.protocol];
const port = await start();
process.on('message', (how: OtlpBehaviour) => {
  behaviour = how;
  process.send?.(port);
});
process.send?.(port);

async function startHttp(): Promise<number> {
  const { tls } = options;
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const isJson = request.headers['content-type'] === 'application/json';
      note({ ...request.headers, ':path': request.url ?? '' }, () =>
        isJson ? (JSON.parse(body.toString()) as OtlpMessage) : readTraces(body),
      );
      answerHttp(response);
    });
  };
  if (tls === undefined) return listening(createServer(take));
  return listening(createTlsServer({ ...tls, ...mutual(tls.ca) }, take));
}

function mutual(ca: string | undefined): object {
  return ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true };
}

function answerHttp(response: ServerResponse): void {
  if (behaviour === 'hang') return;
  if (behaviour === 'garbage') {
    response.socket?.end(rubbish);
    return;
  }
  response.statusCode = behaviour === 'drip' ? 200 : behaviour;
  response.setHeader('content-type', 'application/x-protobuf');
  if (behaviour !== 'drip') {
    response.end();
    return;
  }
  const timer = setInterval(() => response.write('x'), 50);
  response.on('close', () => clearInterval(timer));
}

async function startGrpc(): Promise<number> {
  const { tls, port: wanted = 0 } = options;
  const asIs = (bytes: Buffer): Buffer => bytes;
  const server = new Server();
  const method = {
    path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  server.addService({ Export: method }, { Export: takeGrpc });
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(
          tls.ca === undefined ? null : Buffer.from(tls.ca),
          [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }],
          tls.ca !== undefined,
        );
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${wanted}`, credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
}

interface GrpcCall {
  readonly request: Buffer;
  readonly metadata: { getMap(): Record<string, string | Buffer> };
}

const unavailable = 14;

function takeGrpc(
  { request, metadata }: GrpcCall,
  answer: (error: { code: number } | null, bytes?: Buffer) => void,
): void {
  note(metadata.getMap() as IncomingHttpHeaders, () => readTraces(request));
  if (behaviour === 'hang' || behaviour === 'drip') return;
  if (behaviour === 'garbage') answer(null, rubbish);
  else if (behaviour === 200) answer(null, Buffer.alloc(0));
  else answer({ code: unavailable });
}

async function startTcp(): Promise<number> {
  return listening(
    createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        note({}, null);
        if (behaviour === 'garbage') socket.end(rubbish);
      });
    }),
  );
}

async function listening(server: TcpServer): Promise<number> {
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function note(headers: IncomingHttpHeaders, read: (() => OtlpMessage) | null): void {
  const arrival: OtlpArrival = {
    headers,
    spans: behaviour === 200 && read !== null ? spansOf(read()) : [],
  };
  appendFileSync(options.arrivals, `${ascii(JSON.stringify(arrival))}\n`);
}

function ascii(text: string): string {
  return text.replaceAll(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
