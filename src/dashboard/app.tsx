// The frame around every page: where one can go, what is wrong, how the connection is.

import type { ComponentType, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useLive, usePlace, useRead } from './hooks.ts';
import icon from './icon.svg';
import { CachePage } from './pages/cache.tsx';
import { CertificatesPage } from './pages/certificates.tsx';
import { DiagnosticsPage } from './pages/diagnostics.tsx';
import { EntryPointsPage } from './pages/entry-points.tsx';
import { ErrorsPage } from './pages/errors.tsx';
import { ExplainPage } from './pages/explain.tsx';
import { MiddlewarePage, MiddlewaresPage } from './pages/middlewares.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { RouterPage } from './pages/router.tsx';
import { RoutersPage } from './pages/routers.tsx';
import { ServicePage } from './pages/service.tsx';
import { ServicesPage } from './pages/services.tsx';
import { hrefOf, type Place } from './route.ts';
import { chooseTheme, chosenTheme, type Theme } from './theme.ts';
import type { Version } from './types.ts';

export interface PageProps {
  readonly place: Place;
}

interface Entry {
  readonly page: string;
  readonly title: string;
  readonly list: ComponentType<PageProps>;
  readonly one?: ComponentType<PageProps>;
}

const entries: readonly Entry[] = [
  { page: 'overview', title: 'Overview', list: OverviewPage },
  { page: 'entrypoints', title: 'Entry points', list: EntryPointsPage, one: EntryPointsPage },
  { page: 'routers', title: 'Routers', list: RoutersPage, one: RouterPage },
  { page: 'services', title: 'Services', list: ServicesPage, one: ServicePage },
  { page: 'middlewares', title: 'Middlewares', list: MiddlewaresPage, one: MiddlewarePage },
  { page: 'certificates', title: 'Certificates', list: CertificatesPage },
  { page: 'errors', title: 'Recent errors', list: ErrorsPage },
  { page: 'diagnostics', title: 'Configuration', list: DiagnosticsPage },
  { page: 'explain', title: 'Explain', list: ExplainPage },
  { page: 'cache', title: 'Auth cache', list: CachePage },
];

export function App(): JSX.Element {
  const place = usePlace();
  const { data: version } = useRead<Version>('version');
  const entry = entries.find(({ page }) => page === place.page);
  const title = place.id === '' ? (entry?.title ?? 'Not found') : place.id;
  const name = version?.dashboardName;
  const main = useRef<HTMLElement>(null);
  const at = `${place.page}/${place.id}`;
  const first = useRef(true);
  useEffect(() => {
    document.title = `${title} · ${name === undefined ? '' : `${name} · `}Portcullis`;
  }, [title, name]);
  useEffect(() => {
    // A reader of the screen is told of the new page, and the keyboard goes on from its top.
    if (!first.current) main.current?.focus();
    first.current = false;
    scrollTo(0, 0);
  }, [at]);
  const Page = place.id === '' ? entry?.list : entry?.one;
  return (
    <div class="frame">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // The hash is the page's address.
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to content
      </a>
      <Side place={place} name={name} version={version?.Version} />
      <main id="main" tabIndex={-1} ref={main} aria-label={title}>
        <Banner />
        {Page === undefined ? <p>There is no such page.</p> : <Page place={place} key={at} />}
      </main>
    </div>
  );
}

interface SideProps extends PageProps {
  readonly name: string | undefined;
  readonly version: string | undefined;
}

function Side({ place, name, version }: SideProps): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const { answer, problem } = useLive();
  useEffect(() => setOpen(false), [place]);
  const bad = (answer?.diagnostics.errors ?? 0) + (answer?.diagnostics.warnings ?? 0);
  return (
    <header class="side">
      <div class="brand">
        <a href={hrefOf('overview')} class="name">
          <img src={icon} alt="" width="28" height="28" />
          <span>
            Portcullis
            <small>{name ?? (version === undefined ? '\u00a0' : `version ${version}`)}</small>
          </span>
        </a>
        <button
          type="button"
          class="menu"
          aria-expanded={isOpen}
          aria-controls="nav"
          onClick={() => setOpen(!isOpen)}
        >
          Menu
        </button>
      </div>
      <nav id="nav" aria-label="Pages" class={isOpen ? 'open' : ''}>
        <ul>
          {entries.map(({ page, title }) => (
            <li key={page}>
              <a href={hrefOf(page)} aria-current={place.page === page ? 'page' : undefined}>
                {title}
                {page === 'diagnostics' && bad > 0 ? <span class="count">{bad}</span> : null}
              </a>
            </li>
          ))}
        </ul>
        <ThemeChoice />
      </nav>
      <p class="pulse" role="status">
        <span class={problem === null ? 'dot ok' : 'dot bad'} aria-hidden="true" />
        {problem === null ? (answer === null ? 'connecting' : 'live') : 'no connection'}
      </p>
    </header>
  );
}

function ThemeChoice(): JSX.Element {
  const [theme, setTheme] = useState(chosenTheme);
  return (
    <label class="theme">
      Theme
      <select
        value={theme}
        onChange={(event) => {
          const next = event.currentTarget.value as Theme;
          chooseTheme(next);
          setTheme(next);
        }}
      >
        <option value="auto">as the system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  );
}

/** What an operator must not miss. Its place is always there, so that nothing jumps when it speaks. */
function Banner(): JSX.Element {
  const { answer, problem } = useLive();
  const errors = answer?.diagnostics.errors ?? 0;
  return (
    <div aria-live="polite" class="banners">
      {problem === null ? null : <p class="banner bad">No fresh numbers: {problem}.</p>}
      {errors === 0 ? null : (
        <p class="banner bad">
          {errors === 1 ? 'One error' : `${errors} errors`} in the configuration:{' '}
          <a href={hrefOf('diagnostics')}>see where</a>
        </p>
      )}
    </div>
  );
}
