// The auth service: register, login, logout, and the `validate` call the gateway's forwardAuth makes.

import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createSigner, createVerifier } from 'fast-jwt';
import { type DemoService, HttpError, readJson, sendJson, startService } from './http.ts';
import { openUserStore } from './users.ts';

export interface AuthCounts {
  /** Calls of `/api/v1/auth/validate`: how often the gateway asked. */
  validate: number;
  login: number;
}

export interface AuthService extends DemoService {
  readonly counts: AuthCounts;
}

export interface AuthServiceOptions {
  /** Called with a token that has just been revoked: here the gateway is told to forget it. */
  readonly onRevoked: (token: string) => Promise<void>;
}

interface Claims {
  readonly sub: string;
  readonly jti: string;
}

const tokenLifeMs = 3_600_000;
/** How long the gateway may keep a yes, seconds. */
const decisionLife = 30;
/** Revoked tokens remembered; the oldest is forgotten first. */
const maxRevoked = 10_000;

/** The account the demo starts with. */
export const demoUser = { email: 'admin@company.com', password: 'password' } as const;

export async function startAuthService(options: AuthServiceOptions): Promise<AuthService> {
  const users = openUserStore();
  await users.add(demoUser.email, demoUser.password, 'admin');
  // A new secret at each start: tokens of an earlier run are worth nothing.
  const secret = randomBytes(32).toString('hex');
  const sign = createSigner({ key: secret, algorithm: 'HS256', expiresIn: tokenLifeMs });
  const verify = createVerifier({
    key: secret,
    algorithms: ['HS256'],
    requiredClaims: ['sub', 'jti', 'exp'],
  });
  const revoked = new Set<string>();
  const counts: AuthCounts = { validate: 0, login: 0 };

  function claimsOf(token: string | null): Claims | null {
    if (token === null) return null;
    try {
      const claims = verify(token) as Claims;
      return revoked.has(claims.jti) ? null : claims;
    } catch {
      return null;
    }
  }

  async function login(request: IncomingMessage): Promise<unknown> {
    const { email, password } = await readCredentials(request);
    const user = await users.check(email, password);
    if (user === null) throw new HttpError(401, 'wrong email or password');
    return {
      access_token: sign({ sub: String(user.id), jti: randomUUID() }),
      token_type: 'bearer',
      expires_in: tokenLifeMs / 1000,
      user,
    };
  }

  async function register(request: IncomingMessage): Promise<unknown> {
    const { email, password } = await readCredentials(request);
    if (password.length < 8) throw new HttpError(400, 'a password has at least 8 characters');
    const user = await users.add(email, password, 'user');
    if (user === null) throw new HttpError(409, 'this address is taken');
    return { user };
  }

  async function logout(request: IncomingMessage): Promise<void> {
    const token = bearerOf(request);
    const claims = claimsOf(token);
    if (token === null || claims === null) throw new HttpError(401, 'no valid token');
    if (revoked.size >= maxRevoked) revoked.delete(revoked.values().next().value as string);
    revoked.add(claims.jti);
    await options.onRevoked(token);
  }

  const service = await startService('auth_service', async (request, response, url) => {
    switch (`${request.method} ${url.pathname}`) {
      case 'POST /auth/login':
        counts.login += 1;
        return sendJson(response, 200, await login(request), { 'Cache-Control': 'no-store' });
      case 'POST /auth/register':
        return sendJson(response, 201, await register(request));
      case 'POST /auth/logout':
        await logout(request);
        return sendJson(response, 200, { revoked: true });
      case 'GET /auth/health':
        return sendJson(response, 200, { status: 'healthy', service: 'auth_service' });
      default:
        break;
    }
    if (url.pathname !== '/api/v1/auth/validate') throw new HttpError(404, 'not found');
    counts.validate += 1;
    const claims = claimsOf(bearerOf(request));
    const user = claims === null ? null : users.byId(Number(claims.sub));
    if (user === null) {
      return sendJson(response, 401, { error: 'unauthorized' }, { 'WWW-Authenticate': 'Bearer' });
    }
    response.writeHead(200, {
      'X-User-Id': String(user.id),
      'X-User-Username': user.username,
      'X-User-Role': user.role,
      'Cache-Control': `max-age=${decisionLife}`,
      'Content-Length': 0,
    });
    response.end();
  });

  return {
    ...service,
    counts,
    async stop() {
      if (!service.server.listening) return;
      await service.stop();
      users.close();
    },
  };
}

function bearerOf(request: IncomingMessage): string | null {
  return /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(request.headers.authorization ?? '')?.[1] ?? null;
}

async function readCredentials(request: IncomingMessage): Promise<{ email: string; password: string }> {
  const body = (await readJson(request)) as { email?: unknown; password?: unknown } | null;
  const email = body?.email;
  const password = body?.password;
  if (
    typeof email !== 'string' ||
    typeof password !== 'string' ||
    !/^[^@\s]{1,64}@[^@\s]{1,190}$/.test(email)
  ) {
    throw new HttpError(400, 'email and password are needed');
  }
  return { email, password };
}
