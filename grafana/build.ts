// `npm run grafana:build`: writes the dashboards beside this file.

import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { dashboardFiles } from './dashboards.ts';

const folder = path.join(import.meta.dirname, 'dashboards');
const files = dashboardFiles();
for (const name of readdirSync(folder))
  if (!files.some((file) => file.name === name)) rmSync(path.join(folder, name));
for (const { name, text } of files) writeFileSync(path.join(folder, name), text);
