// Static schema: `state`, what nodes share and where.

import type { z } from 'zod';
import { bool, int, list, object, secret, section, text } from '../../proxy/middlewares/fields.ts';
import { key, keyOr, oneOf } from './define.ts';

const redis = object({
  endpoints: secret(keyOr(list, [], '`host:port`, `redis://` or `rediss://`: servers, or sentinels'), 'url'),
  username: key(text, 'User'),
  password: secret(key(text, 'Password')),
  db: keyOr(int, 0, 'Number of the database'),
  tls: section({
    ca: secret(keyOr(list, [], 'Files or PEM texts of the roots; the system’s unless given')),
    cert: secret(key(text, 'Client certificate: file or PEM text')),
    key: secret(key(text, 'Its key: file or PEM text')),
    insecureSkipVerify: keyOr(bool, false, 'Do not verify the certificate'),
  }).optional(),
  sentinel: object({
    masterName: key(text, 'Name of the master that the sentinels watch'),
    username: key(text, 'User for the sentinels'),
    password: secret(key(text, 'Password for the sentinels')),
  }).optional(),
  cluster: keyOr(bool, false, 'The endpoints are nodes of a cluster'),
  keyPrefix: keyOr(text, 'portcullis', 'Begins every key and channel'),
});

export const state = object({
  redis: redis.optional(),
  secret: secret(
    key(text, 'Known to all nodes and to nobody else: seals what they share; 32 characters or more'),
  ),
  onError: keyOr(
    oneOf(['open', 'closed', 'local']),
    'local',
    'When Redis is away: admit, refuse, or count alone',
  ),
});

export type StaticRedis = z.output<typeof redis>;
