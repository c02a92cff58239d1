// What a plugin imports as `portcullis/plugin`: all it needs to define a middleware.

// oxlint-disable oxc/no-barrel-file -- the one door for code that is not ours
export { z } from 'zod';
export type { Exchange } from '../../exchange.ts';
export type { BuildDeps, MiddlewareDefinition } from '../define.ts';
export type { Hooks, Verdict } from '../../hooks.ts';
export { ANSWERED, CONTINUE, RETRY } from '../../hooks.ts';
export { appendHeader, deleteHeader, getHeader, hasHeader, setHeader } from '../../headers.ts';
export { defineMiddleware } from '../define.ts';
export { bool, duration, int, list, object, section, text, textMap } from '../fields.ts';
