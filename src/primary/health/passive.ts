// Servers that workers found failing, where nothing else would say when they are back: down for one window.

export interface PassiveDowns {
  /** False: it is down already. `ended` is called once the window is over, unless it is forgotten before. */
  add(service: string, url: string, window: number): boolean;
  isDown(service: string, url: string): boolean;
  /** Forgets all but those that `keep` wants: they are no longer in the configuration. */
  retain(keep: (service: string, url: string) => boolean): void;
  close(): void;
}

interface Down {
  readonly service: string;
  readonly url: string;
  readonly timer: NodeJS.Timeout;
}

export function createPassiveDowns(ended: (service: string, url: string) => void): PassiveDowns {
  // At most one for each server of the snapshot in force: `retain` is called with every new one.
  const downs = new Map<string, Down>();
  const keyOf = (service: string, url: string): string => `${service}\n${url}`;
  return {
    add(service, url, window) {
      const key = keyOf(service, url);
      if (downs.has(key)) return false;
      const timer = setTimeout(() => {
        downs.delete(key);
        ended(service, url);
      }, window);
      downs.set(key, { service, url, timer });
      return true;
    },
    isDown: (service, url) => downs.has(keyOf(service, url)),
    retain(keep) {
      for (const [key, { service, url, timer }] of downs) {
        if (keep(service, url)) continue;
        clearTimeout(timer);
        downs.delete(key);
      }
    },
    close() {
      for (const { timer } of downs.values()) clearTimeout(timer);
      downs.clear();
    },
  };
}
