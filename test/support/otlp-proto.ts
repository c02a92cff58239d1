// As much of Protocol Buffers as a message of OTLP traces needs, in the form its JSON has.

import type { OtlpAttribute, OtlpMessage, OtlpSpan } from './otlp-message.ts';

type Field = readonly [number: number, value: Buffer | bigint];

export function readTraces(bytes: Buffer): OtlpMessage {
  return {
    resourceSpans: all(bytes, 1).map((resourceSpans) => ({
      resource: { attributes: all(one(resourceSpans, 1), 1).map(readAttribute) },
      scopeSpans: all(resourceSpans, 2).map((scope) => ({ spans: all(scope, 2).map(readSpan) })),
    })),
  };
}

function readSpan(bytes: Buffer): OtlpSpan {
  return {
    traceId: one(bytes, 1).toString('hex'),
    spanId: one(bytes, 2).toString('hex'),
    traceState: one(bytes, 3).toString(),
    parentSpanId: one(bytes, 4).toString('hex'),
    name: one(bytes, 5).toString(),
    kind: Number(number(bytes, 6)),
    startTimeUnixNano: String(number(bytes, 7)),
    endTimeUnixNano: String(number(bytes, 8)),
    attributes: all(bytes, 9).map(readAttribute),
    status: { code: Number(number(one(bytes, 15), 3)) },
  };
}

function readAttribute(bytes: Buffer): OtlpAttribute {
  return { key: one(bytes, 1).toString(), value: readValue(one(bytes, 2)) };
}

function readValue(bytes: Buffer): OtlpAttribute['value'] {
  const [field] = fields(bytes);
  if (field === undefined) return { stringValue: '' };
  const [id, value] = field;
  if (id === 1) return { stringValue: String(value) };
  if (id === 3) return { intValue: String(value) };
  if (id === 5) return { arrayValue: { values: all(value as Buffer, 1).map(readValue) } };
  throw new Error(`a value of the kind ${id}`);
}

function all(bytes: Buffer, id: number): Buffer[] {
  return fields(bytes).flatMap(([number, value]) => (number === id ? [value as Buffer] : []));
}

function one(bytes: Buffer, id: number): Buffer {
  return all(bytes, id)[0] ?? Buffer.alloc(0);
}

function number(bytes: Buffer, id: number): bigint {
  return (fields(bytes).find(([found]) => found === id)?.[1] as bigint | undefined) ?? 0n;
}

function fields(bytes: Buffer): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const type = tag & 7;
    if (type === 0) found.push([tag >> 3, varint()]);
    else if (type === 1) found.push([tag >> 3, bytes.readBigUInt64LE((at += 8) - 8)]);
    else if (type === 5) found.push([tag >> 3, BigInt(bytes.readUInt32LE((at += 4) - 4))]);
    else {
      const length = Number(varint());
      found.push([tag >> 3, bytes.subarray(at, (at += length))]);
    }
  }
  return found;
}
