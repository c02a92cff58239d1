// One router: the walk of a request through it, drawn, and what is wrong on the way.

import type { JSX } from 'preact';
import { useRead } from '../hooks.ts';
import { Badge, Card, Head, Links, Pending, Why } from '../parts.tsx';
import { hrefOf, type Place } from '../route.ts';
import { stepsOf, type Step } from '../summary.ts';
import type { Walk } from '../types.ts';

export function RouterPage({ place }: { readonly place: Place }): JSX.Element {
  const { data, problem } = useRead<Walk>(`portcullis/walk/${encodeURIComponent(place.id)}`);
  if (data === null) {
    return <Pending title={place.id} problem={problem} />;
  }
  const { router } = data;
  return (
    <>
      <Head title={router.name}>
        <Badge status={router.status} />
      </Head>
      <Why reasons={router.error} />
      <WalkView walk={data} />
      <div class="cards">
        <Card title="Router">
          <dl class="facts">
            <dt>rule</dt>
            <dd>
              <code>{router.rule}</code>
            </dd>
            <dt>priority</dt>
            <dd>{router.priorityStr ?? '–'}</dd>
            <dt>entry points</dt>
            <dd>
              <Links page="entrypoints" names={router.entryPoints} />
            </dd>
            <dt>TLS</dt>
            <dd>
              {router.tls === undefined
                ? 'no'
                : [router.tls.options, router.tls.certResolver].filter(Boolean).join(', ') || 'yes'}
            </dd>
            <dt>provider</dt>
            <dd>{router.provider}</dd>
          </dl>
        </Card>
        <Card title="Middlewares">
          <Links page="middlewares" names={router.middlewares} />
        </Card>
        <Card title="Service">
          <Links page="services" names={data.services.slice(0, 1).map(({ name }) => name)} />
        </Card>
      </div>
    </>
  );
}

function WalkView({ walk }: { readonly walk: Walk }): JSX.Element {
  return (
    <section class="card wide walk" aria-label="The walk of a request" tabIndex={0}>
      <h2>The walk of a request</h2>
      <ol class="steps">
        {stepsOf(walk).map((column, index) => (
          <li key={index}>
            <ul>
              {column.map((step) => (
                <StepView key={`${step.kind} ${step.title}`} step={step} />
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </section>
  );
}

const signs: Readonly<Record<Step['status'], string>> = {
  enabled: '',
  warning: 'warning',
  disabled: 'off',
  missing: 'missing',
  down: 'down',
};

function StepView({ step }: { readonly step: Step }): JSX.Element {
  const sign = signs[step.status];
  return (
    <li class={`step ${step.status}`} data-step={step.kind}>
      <span class="kind">
        {step.kind}
        {sign === '' ? null : <strong> {sign}</strong>}
      </span>
      {step.link === null ? (
        <code>{step.title}</code>
      ) : (
        <a href={hrefOf(step.link[0], step.link[1])}>{step.title}</a>
      )}
      {step.detail === '' ? null : <small>{step.detail}</small>}
      <Why reasons={step.why} />
    </li>
  );
}
