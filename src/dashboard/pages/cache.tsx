// Forgetting auth decisions: of one token, of one user, or all of them. Asked twice, told how many there were.

import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { send } from '../api.ts';
import { plural, share } from '../format.ts';
import { useLive } from '../hooks.ts';
import { Card, Head } from '../parts.tsx';
import { traffic } from '../summary.ts';

type By = 'token' | 'header' | 'all';

export function CachePage(): JSX.Element {
  const { points } = useLive();
  const { authHits, authAsked } = traffic(points);
  return (
    <>
      <Head title="Auth cache" />
      <div class="cards">
        <Card title="The last five minutes">
          <dl class="facts">
            <dt>requests that asked it</dt>
            <dd>{authAsked}</dd>
            <dt>answered by it</dt>
            <dd>{share(authHits, authAsked)}</dd>
          </dl>
        </Card>
        <Purge />
      </div>
    </>
  );
}

function Purge(): JSX.Element {
  const [by, setBy] = useState<By>('token');
  const [said, setSaid] = useState('');
  const [isBad, setBad] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const dialog = useRef<HTMLDialogElement>(null);
  const purge = async (): Promise<void> => {
    if (form.current === null) return;
    const fields = new FormData(form.current);
    const text = (name: string): string => String(fields.get(name) ?? '').trim();
    const selector =
      by === 'all'
        ? { by }
        : by === 'token'
          ? { by, token: text('token') }
          : { by, name: text('name'), value: text('value') };
    try {
      const { purged } = await send<{ purged: number }>('portcullis/auth-cache/purge', selector);
      setSaid(`${plural(purged, 'decision')} forgotten`);
      setBad(false);
      // A token stays in no form.
      form.current.reset();
    } catch (error) {
      setSaid(error instanceof Error ? error.message : 'failed');
      setBad(true);
    }
  };
  return (
    <Card title="Forget decisions" wide>
      <form
        ref={form}
        autocomplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          setSaid('');
          dialog.current?.showModal();
        }}
      >
        <fieldset>
          <legend>Which ones</legend>
          <Choice by="token" chosen={by} choose={setBy} text="of one token" />
          <Choice
            by="header"
            chosen={by}
            choose={setBy}
            text="of one user, by what the auth server said of them"
          />
          <Choice by="all" chosen={by} choose={setBy} text="all of them" />
        </fieldset>
        <Fields by={by} />
        <button type="submit" class="danger">
          Forget…
        </button>
        <p role="status" class={isBad ? 'said bad' : 'said'}>
          {said}
        </p>
      </form>
      <dialog ref={dialog} aria-labelledby="sure">
        <h3 id="sure">{by === 'all' ? 'Forget all decisions?' : 'Forget these decisions?'}</h3>
        <p>On all workers and nodes, at once. The auth server is asked again for the next request of each.</p>
        <form method="dialog" class="buttons">
          <button type="submit">Cancel</button>
          <button type="submit" class="danger" onClick={() => void purge()}>
            Forget
          </button>
        </form>
      </dialog>
    </Card>
  );
}

/** What the choice needs to be told. */
function Fields({ by }: { readonly by: By }): JSX.Element | null {
  if (by === 'token') {
    return (
      <label class="full">
        Token, as the client sends it
        <input name="token" type="password" required autocomplete="off" />
      </label>
    );
  }
  if (by === 'all') return null;
  return (
    <div class="pair">
      <label>
        Header of the auth answer
        <input name="name" required placeholder="X-User-Id" />
      </label>
      <label>
        Its value
        <input name="value" required placeholder="17" />
      </label>
    </div>
  );
}

interface ChoiceProps {
  readonly by: By;
  readonly chosen: By;
  readonly choose: (by: By) => void;
  readonly text: string;
}

function Choice({ by, chosen, choose, text }: ChoiceProps): JSX.Element {
  return (
    <label class="choice">
      <input type="radio" name="by" value={by} checked={chosen === by} onChange={() => choose(by)} />
      {text}
    </label>
  );
}
