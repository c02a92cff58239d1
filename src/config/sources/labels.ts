// Container labels into a Tree: what stands under `traefik.`, sorted, merged without regard to case.

import type { Diagnostic, Place } from '../../model/diagnostic.ts';
import type { Tree } from '../tree.ts';
import { dottedTree } from './dotted.ts';
import type { DottedValue } from './dotted.ts';
import { ignoredLabel, misspeltRoot } from './labels/ignored.ts';
import { splitLabel } from './labels/key.ts';
import { readProviderLabels } from './labels/provider-labels.ts';
import type { ProviderLabels } from './labels/provider-labels.ts';
import { quotedValue } from './labels/values.ts';

export interface LabelsRead {
  /** Root keys http, tcp, udp, tls; null when there are none, or when they can't be read at all. */
  readonly tree: Tree | null;
  readonly provider: ProviderLabels;
  readonly diagnostics: Diagnostic[];
}

/** Labels of one container that are read; with more it contributes nothing. */
const maxLabels = 2000;
/** UTF-16 units of one label's name, and of its value. */
const maxNameLength = 1024;
const maxValueLength = 65_536;

/**
 * Labels under `traefik.` as the Tree that a dynamic file with the same content gives. Their order means nothing:
 * they are read sorted by name, so that the first spelling of a name stays and of two labels that differ in case
 * alone the last one holds. What isn't read (labels of version 1, other roots) is told and left out. An error whose
 * code is not `config.unsupported` means that the container is to be rejected as a whole. Never throws.
 */
export function labelsToTree(labels: Readonly<Record<string, string>>, source: string): LabelsRead {
  const diagnostics: Diagnostic[] = [];
  const ours: DottedValue[] = [];
  const docker: DottedValue[] = [];
  const all = Object.keys(labels).sort();
  for (const label of all) {
    const where: Place = { source, path: label.slice(0, maxNameLength) };
    if (!/^traefik(\.|$)/i.test(label)) {
      const typo = misspeltRoot(label, where);
      if (typo !== null && diagnostics.length < maxLabels) diagnostics.push(typo);
      continue;
    }
    if (ours.length + docker.length >= maxLabels) {
      diagnostics.push(tooMuch(where, `there are more than ${maxLabels} labels under traefik`));
      break;
    }
    const value = labels[label] as string;
    if (label.length > maxNameLength || value.length > maxValueLength) {
      diagnostics.push(
        tooMuch(
          where,
          `a label's name may have ${maxNameLength} characters, its value ${maxValueLength}: one is longer`,
        ),
      );
      continue;
    }
    const isDocker = /^traefik\.(docker\.|enable)/i.test(label);
    const ignored = isDocker ? null : ignoredLabel(label, where);
    if (ignored !== null) {
      diagnostics.push(ignored);
      continue;
    }
    const path = splitLabel(label);
    if (typeof path === 'string') {
      diagnostics.push({ severity: 'error', code: 'config.label', message: path, where, ...nameHint(label) });
      continue;
    }
    if (label.includes('${')) diagnostics.push(notInterpolated(where));
    if (label.endsWith(']')) diagnostics.push(indexedText(where));
    const quoted = quotedValue(value, where);
    if (quoted !== null) diagnostics.push(quoted);
    (isDocker ? docker : ours).push({ path: path.slice(1), value, where });
  }
  diagnostics.push(...repeated(ours), ...repeated(docker));
  const provider = readProviderLabels(docker, diagnostics);
  const isBroken = diagnostics.some(({ code, severity }) => severity === 'error' && code === 'config.label');
  return {
    tree: ours.length === 0 || isBroken ? null : dottedTree(ours, source),
    provider,
    diagnostics,
  };
}

function tooMuch(where: Place, message: string): Diagnostic {
  return { severity: 'error', code: 'config.label', message, where };
}

function nameHint(label: string): { hint?: string } {
  if (label.startsWith('traefik.')) return {};
  return { hint: `write it in lower case: traefik${label.slice('traefik'.length).slice(0, 80)}` };
}

function notInterpolated(where: Place): Diagnostic {
  return {
    severity: 'warning',
    code: 'config.label_variable',
    message: 'the name of this label holds a variable that was never filled in',
    where,
    hint: 'compose fills in variables in the names of labels only where they are written as a list: - "key=value"',
  };
}

/** The gateway these labels were made for reads nothing of such a list: an auth middleware named in it never ran. */
function indexedText(where: Place): Diagnostic {
  return {
    severity: 'warning',
    code: 'config.label_index',
    message: 'a list of texts is written with commas in a label: this one is taken here, and by nobody else',
    where,
    hint: `write \`${(where.path ?? '').slice(0, 80).replace(/\[\d+\]$/, '')}=a,b\``,
  };
}

/** Two labels that mean the same: the last one in the order of their names holds. */
function repeated(values: readonly DottedValue[]): Diagnostic[] {
  const first = new Map<string, DottedValue>();
  const diagnostics: Diagnostic[] = [];
  for (const value of values) {
    const key = value.path.join('.').toLowerCase();
    const before = first.get(key);
    first.set(key, value);
    if (before === undefined || before.value === value.value) continue;
    diagnostics.push({
      severity: 'warning',
      code: 'config.repeated_label',
      message: `this label and \`${before.where.path}\` are the same in two spellings with two values: this one holds`,
      where: value.where,
      hint: 'remove one of them',
      related: [before.where],
    });
  }
  return diagnostics;
}
