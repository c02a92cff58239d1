// Functions of templates on texts and numbers beyond the common ones.

import { bound, define, many, number, text } from './arguments.ts';
import type { TemplateFunction } from './arguments.ts';
import { print } from './values.ts';

export const textFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['trunc', define([2, 2], ([length, value]) => trunc(number(length), text(value)))],
  ['substr', define([3, 3], ([from, to, value]) => substr(number(from), number(to), text(value)))],
  ['repeat', define([2, 2], ([count, value]) => repeat(number(count), text(value)))],
  ['nospace', define([1, 1], ([value]) => text(value).replaceAll(/\s/g, ''))],
  [
    'cat',
    define([0, many], (args) =>
      args
        .filter((arg) => arg !== null)
        .map(print)
        .join(' '),
    ),
  ],
  ['indent', define([2, 2], ([width, value]) => indent(number(width), text(value)))],
  ['nindent', define([2, 2], ([width, value]) => `\n${indent(number(width), text(value))}`)],
  ['b64enc', define([1, 1], ([value]) => Buffer.from(text(value)).toString('base64'))],
  ['b64dec', define([1, 1], ([value]) => Buffer.from(text(value), 'base64').toString())],
  ['urlquery', define([1, 1], ([value]) => new URLSearchParams([['', text(value)]]).toString().slice(1))],
  ['expandenv', define([1, 1], ([value], { env }) => expand(text(value), env))],
  ['atoi', define([1, 1], ([value]) => (/^[+-]?\d+$/.test(text(value)) ? Number(value) : 0))],
  ['int64', define([1, 1], ([value]) => Math.trunc(Number(print(value ?? null))) || 0)],
  ['div', define([2, 2], ([a, b]) => Math.trunc(number(a) / divisor(b)))],
  ['mod', define([2, 2], ([a, b]) => number(a) % divisor(b))],
  ['add1', define([1, 1], ([value]) => number(value) + 1)],
  ['max', define([1, many], (args) => args.map(number).reduce((a, b) => Math.max(a, b)))],
  ['min', define([1, many], (args) => args.map(number).reduce((a, b) => Math.min(a, b)))],
];

function trunc(length: number, value: string): string {
  return length < 0 ? value.slice(length) : value.slice(0, length);
}

function substr(from: number, to: number, value: string): string {
  return value.slice(Math.max(0, from), to < 0 ? undefined : to);
}

function repeat(count: number, value: string): string {
  const times = Math.max(0, Math.trunc(count));
  bound(times * value.length);
  return value.repeat(times);
}

function indent(width: number, value: string): string {
  const lines = value.split('\n');
  bound(value.length + lines.length * width);
  const blanks = ' '.repeat(Math.max(0, width));
  return lines.map((line) => `${blanks}${line}`).join('\n');
}

/** As a shell's, without anything but names: `$NAME` and `${NAME}`; what is not set is empty. */
function expand(value: string, env: NodeJS.ProcessEnv): string {
  return value.replace(
    /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g,
    (_all, braced?: string, bare?: string) => env[braced ?? bare ?? ''] ?? '',
  );
}

function divisor(value: Parameters<typeof number>[0]): number {
  const read = number(value);
  if (read === 0) throw new Error('a division by zero');
  return read;
}
