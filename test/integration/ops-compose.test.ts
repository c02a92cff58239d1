// The compose files in the eyes of docker-compose and of the gateway; what Grafana is given, in Grafana's terms.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { runCommand } from '../support/gateway.ts';

interface Compose {
  readonly services: Record<string, Service>;
}

interface Service {
  readonly image?: string;
  readonly privileged?: boolean;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const files = [...globSync('ops/compose/*.yml', { cwd: root }), 'examples/docker-labels/compose.yml'].sort();
/** What each file asks for, and refuses to do without. */
const env = { NODE: 'a', GRAFANA_PASSWORD: 'secret' };
const skip = withoutCompose();
/** They set addresses, read the socket of the engine, or write to a volume as somebody of their own image. */
const special = ['keepalived', 'socket-proxy', 'grafana'];

for (const file of files) {
  describe(file, { skip }, () => {
    let services: Record<string, Service>;
    const text = readFileSync(join(root, file), 'utf8');

    before(() => {
      const { status, stdout, stderr } = config(file, text);
      assert.equal(status, 0, stderr);
      ({ services } = parse(stdout) as Compose);
    });

    test('docker-compose takes it, and says what is wrong with a broken one', () => {
      assert.ok(Object.keys(services).length >= 2);
      const broken = config(file, text.replace(/^( +)command:/m, '$1comand:'));
      assert.equal(broken.status, 1);
      assert.match(broken.stderr, /comand/);
    });

    test('nothing in it may write to its image, gain a right, or keep one that it does not need', () => {
      for (const [name, service] of Object.entries(services)) {
        assert.notEqual(service.privileged, true, name);
        if (special.includes(name) || !isOurs(name, service)) continue;
        assert.equal(service.read_only, true, `${name}: read_only`);
        assert.deepEqual(service.cap_drop, ['ALL'], `${name}: cap_drop`);
        assert.deepEqual(service.security_opt, ['no-new-privileges:true'], `${name}: security_opt`);
      }
    });

    test('no gateway opens the socket of the engine, and each is asked for its health', () => {
      for (const [name, service] of Object.entries(services)) {
        if (service.image !== 'portcullis') continue;
        assert.doesNotMatch((service.volumes ?? []).join(), /docker\.sock/, name);
        assert.deepEqual(service.healthcheck?.test.slice(0, 3), ['CMD', 'portcullis', 'healthcheck'], name);
      }
    });
  });
}

for (const file of files.filter((name) => !name.includes('observability'))) {
  test(`${file}: the gateway has nothing to say against its flags and labels`, async () => {
    const { code, output } = await runCommand(['check', join(root, file)], env);
    assert.equal(code, 0, output);
    // The pair's own configuration is written beside the file by whoever has one.
    const wanted = file.endsWith('/ha.yml') ? /not_mounted[^]*0 errors, 1 warning\n/ : /0 errors, 0 warnings/;
    assert.match(output, wanted);
  });
}

describe('what Grafana is provisioned with', () => {
  const folder = join(root, 'grafana/provisioning');
  const compose = parse(readFileSync(join(root, 'ops/compose/observability.yml'), 'utf8')) as {
    services: { grafana: { environment: Record<string, string>; volumes: readonly string[] } };
  };
  const { environment, volumes } = compose.services.grafana;

  test('the datasource has only keys Grafana documents, and its variables are given', () => {
    const text = readFileSync(join(folder, 'datasources/prometheus.yml'), 'utf8');
    const { apiVersion, datasources } = parse(text) as { apiVersion: number; datasources: readonly Keys[] };
    assert.equal(apiVersion, 1);
    for (const source of datasources) {
      assert.deepEqual(unknown(source, datasourceKeys), []);
      assert.deepEqual(unknown(source['jsonData'] as Keys, jsonDataKeys), []);
      assert.ok(['proxy', 'direct'].includes(String(source['access'])));
    }
    for (const [, name = ''] of text.matchAll(/\$\{?(\w+)\}?/g))
      if (name !== '__rate_interval') assert.ok(name in environment, name);
    const scraped = parse(readFileSync(join(root, 'ops/prometheus/prometheus.yml'), 'utf8')) as {
      global: { scrape_interval: string };
    };
    const told = (datasources[0]?.['jsonData'] as Keys | undefined)?.['timeInterval'];
    assert.equal(told, scraped.global.scrape_interval);
  });

  test('the dashboards are where the provider looks, and the first page is one of them', () => {
    const text = readFileSync(join(folder, 'dashboards/portcullis.yml'), 'utf8');
    const { apiVersion, providers } = parse(text) as { apiVersion: number; providers: readonly Keys[] };
    assert.equal(apiVersion, 1);
    for (const provider of providers) {
      assert.deepEqual(unknown(provider, providerKeys), []);
      assert.equal(provider['type'], 'file');
      const { path } = provider['options'] as { path: string };
      const [source = ''] = volumes.find((volume) => volume.split(':')[1] === path)?.split(':') ?? [];
      const home = environment['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
      assert.equal(dirname(home), path);
      assert.ok(existsSync(join(root, 'ops/compose', source, home.slice(path.length + 1))), home);
    }
    assert.ok(volumes.some((volume) => volume.split(':')[1] === '/etc/grafana/provisioning'));
  });
});

type Keys = Readonly<Record<string, unknown>>;

const datasourceKeys =
  'name type access orgId uid url user database basicAuth basicAuthUser withCredentials isDefault jsonData ' +
  'secureJsonData version editable correlations';
const jsonDataKeys =
  'httpMethod timeInterval queryTimeout manageAlerts prometheusType prometheusVersion cacheLevel ' +
  'incrementalQuerying disableRecordingRules exemplarTraceIdDestinations';
const providerKeys =
  'name orgId folder folderUid type disableDeletion updateIntervalSeconds allowUiUpdates options';

function unknown(given: Keys, known: string): readonly string[] {
  return Object.keys(given).filter((key) => !known.split(' ').includes(key));
}

/** The gateway and what this repository runs; a platform's own images are its own matter. */
function isOurs(name: string, { image = '' }: Service): boolean {
  return name === 'prometheus' || image === 'portcullis' || image.startsWith('node:');
}

/** Debian's docker-compose is older than the key `name`, which says what a project is called and nothing else. */
function config(file: string, text: string): { status: number | null; stdout: string; stderr: string } {
  const folder = dirname(join(root, file));
  return spawnSync('docker-compose', ['-f', '-', '--project-directory', folder, 'config'], {
    input: text.replace(/^name:.*\n/m, ''),
    encoding: 'utf8',
    timeout: 30_000,
    env: { ...process.env, ...env },
  });
}

function withoutCompose(): string | false {
  const gone = (process.env['PORTCULLIS_TEST_MISSING'] ?? '').split(',').includes('docker-compose');
  if (!gone && spawnSync('sh', ['-c', 'command -v docker-compose']).status === 0) return false;
  process.stderr.write('!! NOT TESTED: compose files: docker-compose missing\n');
  return 'NOT TESTED: docker-compose missing';
}
