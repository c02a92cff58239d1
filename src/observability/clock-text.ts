// Times as log lines write them. Lines come many to a second, so the text of the last second is kept.

/** Each function keeps its own last second; make one per use. */
export type ClockText = (epochMs: number) => string;

/** `2026-01-02T15:04:05.123456Z`: RFC 3339 with as many decimals as there are. */
export function createUtcText(): ClockText {
  let second = Number.NaN;
  let text = '';
  return (epochMs) => {
    const now = Math.floor(epochMs / 1000);
    if (now !== second) {
      second = now;
      text = new Date(now * 1000).toISOString().slice(0, 19);
    }
    return `${text}${decimals(epochMs - now * 1000)}Z`;
  };
}

/** The same in the machine's time zone: `2026-01-02T16:04:05.123456+01:00`. */
export function createLocalText(hasDecimals: boolean): ClockText {
  let second = Number.NaN;
  let text = '';
  let zone = '';
  return (epochMs) => {
    const now = Math.floor(epochMs / 1000);
    if (now !== second) {
      second = now;
      const minutes = -new Date(now * 1000).getTimezoneOffset();
      text = new Date(now * 1000 + minutes * 60_000).toISOString().slice(0, 19);
      zone = zoneText(minutes);
    }
    return hasDecimals ? text + decimals(epochMs - now * 1000) + zone : text + zone;
  };
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `02/Jan/2026:15:04:05 +0000`. */
export function createClfText(): ClockText {
  let second = Number.NaN;
  let text = '';
  return (epochMs) => {
    const now = Math.floor(epochMs / 1000);
    if (now !== second) {
      second = now;
      const iso = new Date(now * 1000).toISOString();
      text = `${iso.slice(8, 10)}/${months[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
    }
    return text;
  };
}

function zoneText(minutes: number): string {
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  const hours = String(Math.floor(size / 60)).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${hours}:${String(size % 60).padStart(2, '0')}`;
}

// A line has its start in two forms with the same decimals.
let lastMs = Number.NaN;
let lastDecimals = '';

/** Of milliseconds within a second, to the microsecond, without final zeros. */
function decimals(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms;
    lastDecimals = writeDecimals(ms);
  }
  return lastDecimals;
}

function writeDecimals(ms: number): string {
  let micros = Math.floor(ms * 1000 + 0.001);
  if (micros <= 0) return '';
  if (micros > 999_999) micros = 999_999;
  let text = String(1_000_000 + micros).slice(1);
  let end = 6;
  while (text.charCodeAt(end - 1) === 0x30) end--;
  if (end < 6) text = text.slice(0, end);
  return `.${text}`;
}
