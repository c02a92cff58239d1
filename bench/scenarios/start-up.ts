// From the start of the process to its first good answer.

import { cpuTimes } from '../proc.ts';
import { type Case, defineScenario, type Load } from '../scenario.ts';
import { manyRoutes, plainRoute, type Site, siteOf } from '../site.ts';

const boot: Load = (subject) => {
  const cpu = [...cpuTimes(subject.pids()).values()].reduce((sum, micros) => sum + micros, 0);
  return Promise.resolve({
    driver: 'own',
    isPaced: true,
    requests: 1,
    seconds: subject.bootMs / 1_000,
    p50: null,
    p99: null,
    p999: null,
    errors: 0,
    figures: { 'start-up ms': subject.bootMs, 'CPU ms': cpu / 1_000 },
  });
};

export const startUp = defineScenario({
  name: 'start-up',
  summary: 'time to the first answer, with 1 and 10,000 routers',
  cases: [caseOf('1 router', siteOf([plainRoute])), caseOf('10000 routers', siteOf(manyRoutes(10_000)))],
});

function caseOf(name: string, site: Site): Case {
  return { name, site, load: boot, fresh: true, loads: false };
}
