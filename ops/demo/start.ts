// Starts the demo platform: its services in this process, the gateway in front as a child.

import { startAdminApi, startAdminWeb } from './services/admin.ts';
import { type AuthCounts, startAuthService } from './services/auth.ts';
import type { DemoService } from './services/http.ts';
import { startMcpServer } from './services/mcp.ts';
import { type Omni2Service, startOmni2 } from './services/omni2.ts';
import { type GatewayProcess, holdPort, startGatewayProcess } from './gateway-process.ts';

export interface DemoOptions {
  /** The gateway's port and the API's; each falls back to a free one when taken. 0 for both is free ports. */
  readonly ports: 0 | { readonly web: number; readonly api: number };
  /** Default 2. */
  readonly workers?: number;
  /** Show what the gateway prints. */
  readonly verbose?: boolean;
  /** More flags for the gateway. */
  readonly flags?: readonly string[];
}

export interface Demo {
  /** `http://127.0.0.1:8090` */
  readonly gatewayUrl: string;
  /** `http://127.0.0.1:8091` */
  readonly apiUrl: string;
  /** Where the auth service itself listens, behind the gateway. */
  readonly authUrl: string;
  readonly counts: { readonly auth: AuthCounts };
  readonly omni2: readonly [Omni2Service, Omni2Service];
  readonly gateway: GatewayProcess;
  /** Takes the auth service away, as an outage would. */
  stopAuth(): Promise<void>;
  stop(): Promise<void>;
}

export async function startDemo(options: DemoOptions): Promise<Demo> {
  const wanted = options.ports === 0 ? { web: 0, api: 0 } : options.ports;
  const held = [await holdPort(wanted.web), await holdPort(wanted.api)] as const;
  const [webPort, apiPort] = [held[0].port, held[1].port];
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const auth = await startAuthService({ onRevoked: (token) => purgeToken(apiUrl, token) });
  const omni2 = [await startOmni2('omni2-1'), await startOmni2('omni2-2')] as const;
  const adminWeb = await startAdminWeb();
  const adminApi = await startAdminApi();
  const mcp = await startMcpServer('database_mcp');
  const services: readonly DemoService[] = [auth, ...omni2, adminWeb, adminApi, mcp];
  const stopServices = async (): Promise<void> => {
    await Promise.all(services.map((service) => service.stop()));
  };

  let gateway: GatewayProcess;
  try {
    await Promise.all(held.map((port) => port.release()));
    gateway = await startGatewayProcess({
      webPort,
      apiPort,
      workers: options.workers ?? 2,
      verbose: options.verbose ?? false,
      flags: options.flags ?? [],
      env: {
        API_URL: apiUrl,
        AUTH_PORT: String(auth.port),
        OMNI2_1_PORT: String(omni2[0].port),
        OMNI2_2_PORT: String(omni2[1].port),
        ADMIN_WEB_PORT: String(adminWeb.port),
        ADMIN_API_PORT: String(adminApi.port),
        DATABASE_MCP_PORT: String(mcp.port),
      },
    });
  } catch (error) {
    await stopServices();
    throw error;
  }

  return {
    gatewayUrl: `http://127.0.0.1:${webPort}`,
    apiUrl,
    authUrl: auth.url,
    counts: { auth: auth.counts },
    omni2,
    gateway,
    stopAuth: () => auth.stop(),
    async stop() {
      await gateway.stop();
      await stopServices();
    },
  };
}

/** Makes every worker forget what it was told about this token. */
async function purgeToken(apiUrl: string, token: string): Promise<void> {
  const answer = await fetch(`${apiUrl}/api/portcullis/auth-cache/purge`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ by: 'token', token }),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`purge answered ${answer.status}`);
}
