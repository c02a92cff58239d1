// Stands where systemd stands: a socket for what the gateway tells its service manager. Node cannot listen on one of
// that kind; perl, which every Debian has, can.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';

export interface ServiceManager {
  /** For NOTIFY_SOCKET. */
  readonly socket: string;
  /** Every message so far, its assignments in one string. */
  readonly told: readonly string[];
  close(): Promise<void>;
}

const listen = `
  use Socket; $| = 1;
  my $name = $ARGV[0]; $name =~ s/^@/\\0/;
  socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die $!;
  bind($s, pack_sockaddr_un($name)) or die $!;
  print "bound\\n";
  while (defined recv($s, my $data, 4096, 0)) { $data =~ s/\\n/ /g; print "$data\\n"; }
`;

/** `abstract`: a name without a file. */
export async function startServiceManager(abstract = false): Promise<ServiceManager> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-notify-'));
  const socket = abstract ? `@portcullis-test-${process.pid}` : join(dir, 'socket');
  const child = spawn('perl', ['-e', listen, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const told: string[] = [];
  let rest = '';
  const bound = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === 'bound') resolve();
        // Asks only that it be closed, to know that all before it was read.
        else if (line !== 'BARRIER=1') told.push(line.trim());
      }
    });
    child.once('exit', (code) => reject(new Error(`perl ended with ${code}`)));
  });
  await bound;
  return {
    socket,
    told,
    async close() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
