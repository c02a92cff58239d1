// What the demo prints when it is up: where everything is, and a curl line for every route.

import { demoUser } from './services/auth.ts';

export interface Guide {
  /** `http://127.0.0.1:8090` */
  readonly gatewayUrl: string;
  /** `http://127.0.0.1:8091` */
  readonly apiUrl: string;
  /** A line each: what is not as it was asked for. */
  readonly remarks: readonly string[];
  /** Whether whoever reads it sees bold and grey. */
  readonly hasColors: boolean;
}

export const usage = `npm run demo [-- flags of the gateway]

Starts a small platform (an auth service, two application servers, an admin pair, an MCP server) in one process and the
gateway in front of it, prints a curl line for every route, and runs until Ctrl-C. Everything listens on 127.0.0.1.

  DEMO_PORT=8090       the gateway's port
  DEMO_API_PORT=8091   the port of its API and dashboard

A port that is taken is replaced by a free one; 0 takes a free one at once.
`;

/** The lines that begin with `#` or `curl` or a name and `=` can be pasted into a shell as they are. */
export function guideOf({ gatewayUrl: url, apiUrl, remarks, hasColors }: Guide): string {
  const bold = (text: string): string => (hasColors ? `\u001B[1m${text}\u001B[22m` : text);
  const grey = (text: string): string => (hasColors ? `\u001B[2m${text}\u001B[22m` : text);
  const sections = sectionsOf(url).map(({ says, lines }) => `${grey(`# ${says}`)}\n${lines.join('\n')}\n`);
  return [
    '',
    bold('The demo platform is up, behind the gateway.'),
    ...remarks,
    '',
    `  gateway    ${bold(url)}`,
    `  dashboard  ${bold(`${apiUrl}/dashboard/`)}`,
    `  API        ${apiUrl}/api/http/routers`,
    `  terminal   npm start -- top --endpoint ${apiUrl}`,
    `  log in as  ${demoUser.email}, password ${demoUser.password}`,
    '',
    ...sections,
    grey('Ctrl-C stops everything.'),
    '',
  ].join('\n');
}

/** For who has read it before. */
export function briefGuideOf({ gatewayUrl, apiUrl, remarks }: Guide): string {
  return [...remarks, `The demo platform is up again: ${gatewayUrl}, dashboard ${apiUrl}/dashboard/`].join(
    '\n',
  );
}

interface Section {
  readonly says: string;
  readonly lines: readonly string[];
}

function sectionsOf(url: string): readonly Section[] {
  const bearer = '-H "Authorization: Bearer $TOKEN"';
  const json = "-H 'Content-Type: application/json'";
  const stream = "-H 'Accept: application/json, text/event-stream'";
  const upgrade =
    "-H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: cG9ydGN1bGxpcy1kZW1vIQ=='";
  const preflight = "-H 'Origin: http://localhost:3000' -H 'Access-Control-Request-Method: GET'";
  const initialize = `'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}'`;
  const listTools = `'{"jsonrpc":"2.0","id":2,"method":"tools/list"}'`;
  const tokenOf = String.raw`sed 's/.*"access_token":"\([^"]*\)".*/\1/'`;
  const sessionOf = String.raw`sed -n 's/^[Mm]cp-[Ss]ession-[Ii]d: *\([^[:space:]]*\).*/\1/p'`;
  return [
    { says: 'public', lines: [`curl ${url}/health`, `curl ${url}/auth/health`] },
    { says: '401: nobody asks without a token', lines: [`curl -i ${url}/api/v1/health`] },
    {
      says: 'a token; with it the same answers 200. The auth service is asked once, whatever you repeat',
      lines: [
        `TOKEN=$(curl -s ${json} -d '${JSON.stringify(demoUser)}' ${url}/auth/login | ${tokenOf})`,
        `curl ${bearer} ${url}/api/v1/health`,
        `curl ${bearer} ${url}/admin`,
        `curl ${bearer} ${url}/admin/api/users`,
      ],
    },
    { says: 'CORS preflight', lines: [`curl -i -X OPTIONS ${preflight} ${url}/api/v1/chat`] },
    {
      says: 'WebSocket: the handshake and the first status',
      lines: [`curl -i -N --max-time 3 ${upgrade} ${url}/ws/mcp-status --output -`],
    },
    {
      says: 'MCP over streamable HTTP',
      lines: [
        `SESSION=$(curl -s -D - -o /dev/null ${bearer} ${json} -d ${initialize} ${url}/mcp/database | ${sessionOf})`,
        `curl ${bearer} ${json} ${stream} -H "Mcp-Session-Id: $SESSION" -d ${listTools} ${url}/mcp/database`,
      ],
    },
    {
      says: 'logged out: the gateway forgets the token at once, and answers 401',
      lines: [`curl -X POST ${bearer} ${url}/auth/logout`, `curl -i ${bearer} ${url}/api/v1/health`],
    },
  ];
}
