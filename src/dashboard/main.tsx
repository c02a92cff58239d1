// The dashboard begins: styles, theme, pulse, page.

import 'uplot/dist/uPlot.min.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/walk.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { followLive } from './live.ts';
import { applyTheme } from './theme.ts';

applyTheme();
const root = document.getElementById('app');
if (root !== null) render(<App />, root);
void followLive();
