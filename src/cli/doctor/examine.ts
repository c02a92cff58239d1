// All that is looked at, in the order it is told: what keeps a gateway from starting comes first.

import type { CommandContext } from '../command.ts';
import { probeCertificates } from './certificates.ts';
import { probeClock } from './clock.ts';
import { probeConfiguration } from './configuration.ts';
import { probeDisks } from './disks.ts';
import { probeEngine } from './engine.ts';
import { type Examined, examine, type Probe } from './finding.ts';
import { probeKernel } from './kernel.ts';
import { probeLimits } from './limits.ts';
import { probePorts } from './ports.ts';
import { probeProgram } from './program.ts';
import { probeRedis } from './redis.ts';
import { readScene } from './scene.ts';
import { probeWatches } from './watches.ts';

export async function examineAll(context: CommandContext): Promise<Examined[]> {
  const scene = await readScene(context);
  const probes: readonly Probe[] = [
    { area: 'program', run: probeProgram },
    { area: 'configuration', run: () => probeConfiguration(scene) },
    { area: 'ports', run: () => probePorts(scene) },
    { area: 'limits', run: () => probeLimits(scene) },
    { area: 'docker', run: () => probeEngine(scene) },
    { area: 'redis', run: (signal) => probeRedis(scene, signal) },
    { area: 'certificates', run: (signal) => probeCertificates(scene, signal) },
    { area: 'clock', run: (signal) => probeClock(scene, signal) },
    { area: 'disks', run: () => probeDisks(scene) },
    { area: 'file watches', run: () => probeWatches(scene) },
    { area: 'kernel', run: () => probeKernel(scene) },
  ];
  const examined = await Promise.all(probes.map((probe) => examine(probe)));
  return examined.filter(({ findings }) => findings.length > 0);
}
