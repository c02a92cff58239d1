// Static schema: `providers`.

import type { z } from 'zod';
import { bool, duration, list, object, secret, section, text } from '../../proxy/middlewares/fields.ts';
import { key, keyOr, later, refused, removed } from './define.ts';

const swarmGone =
  'Swarm became a provider of its own (`providers.swarm`): delete the option, even when it is false';

const dockerTls = object({
  ca: secret(key(text, 'CA file or PEM')),
  cert: secret(key(text, 'Certificate file or PEM')),
  key: secret(key(text, 'Key file or PEM')),
  insecureSkipVerify: keyOr(bool, false, 'Do not verify the certificate'),
  caOptional: removed('delete it: client certificates are never optional here'),
});

const docker = section({
  exposedByDefault: keyOr(bool, true, 'Publish containers without `traefik.enable`'),
  constraints: key(text, 'Expression over labels that a container must satisfy'),
  allowEmptyServices: keyOr(bool, false, 'Keep services whose containers are not healthy'),
  network: key(text, 'Network whose address is used'),
  useBindPortIP: keyOr(bool, false, 'Use the published address instead of the container’s'),
  watch: keyOr(bool, true, 'Follow events'),
  defaultRule: keyOr(text, 'Host(`{{ normalize .Name }}`)', 'Rule of routers that have none'),
  username: key(text, 'User for the endpoint'),
  password: secret(key(text, 'Password for the endpoint')),
  endpoint: keyOr(text, 'unix:///var/run/docker.sock', 'Where the Docker API answers'),
  tls: dockerTls.optional(),
  httpClientTimeout: keyOr(duration, 0, 'For one API call; 0 is none'),
  swarmMode: removed(swarmGone),
  swarmModeRefreshSeconds: removed(swarmGone),
});

const file = object({
  directory: key(text, 'Directory with dynamic configuration; wins over filename'),
  filename: key(text, 'File with dynamic configuration'),
  watch: keyOr(bool, true, 'Reload when files change'),
  debugLogGeneratedTemplate: later(keyOr(bool, false, 'Log what a template became')),
});

const otherwise = 'the file provider reads the same configuration from files';

export const providers = object({
  providersThrottleDuration: keyOr(duration, 2000, 'Shortest time between two updates of one provider'),
  precedence: later(key(list, 'Providers in the order that breaks ties of equal priority')),
  docker: docker.optional(),
  file: file.optional(),
  swarm: refused(otherwise),
  redis: refused(otherwise),
  http: refused(otherwise),
  rest: refused(otherwise),
  consul: refused(otherwise),
  consulCatalog: refused(otherwise),
  etcd: refused(otherwise),
  zooKeeper: refused(otherwise),
  nomad: refused(otherwise),
  ecs: refused(otherwise),
  kubernetesCRD: refused(otherwise),
  kubernetesIngress: refused(otherwise),
  kubernetesIngressNGINX: refused(otherwise),
  kubernetesGateway: refused(otherwise),
  knative: refused(otherwise),
  plugin: refused(otherwise),
  marathon: removed('the provider no longer exists'),
  rancher: removed('the provider no longer exists'),
  kubernetes: removed('v1 name of `providers.kubernetesIngress`'),
});

export type StaticProviders = z.output<typeof providers>;
