// A chart over the last five minutes, drawn by uPlot. For those who do not see it, its summary says it in words.

import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

export interface Line {
  readonly label: string;
  /** Name of a colour of the theme: `--line-1`. */
  readonly color: string;
  readonly fill?: boolean;
}

interface Props {
  readonly lines: readonly Line[];
  /** Seconds, then one list per line. */
  readonly data: (number | null)[][];
  readonly unit: string;
  readonly summary: string;
}

const height = 170;
const seconds = 300;

export function Chart({ lines, data, unit, summary }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(
        optionsFor(element, lines, unit),
        latest.current as uPlot.AlignedData,
        element,
      );
    };
    draw();
    const sizes = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    sizes.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    addEventListener('themechange', draw);
    return () => {
      sizes.disconnect();
      dark.removeEventListener('change', draw);
      removeEventListener('themechange', draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(data as uPlot.AlignedData), [data]);
  return (
    <figure class="chart">
      <div ref={box} class="plot" role="img" aria-label={summary} />
      <figcaption>
        {lines.map(({ label, color }) => (
          <span key={label} class={`key ${color.slice(2)}`}>
            {label}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function optionsFor(element: HTMLElement, lines: readonly Line[], unit: string): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: color('--dim'),
    grid: { stroke: color('--edge'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: Math.max(element.clientWidth, 100),
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 8, 0, 0],
    scales: {
      x: { range: (_plot, _min, max) => [max - seconds, max] },
      y: { range: (_plot, _min, max) => [0, Math.max(max * 1.1, 1)] },
    },
    axes: [
      { ...axis, size: 26, space: 70, values: (_plot, all) => all.map((at) => clock(at)) },
      { ...axis, size: 56, values: (_plot, all) => all.map((value) => `${short(value)}${unit}`) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: color(line.color),
        width: 1.5,
        // A single second between empty ones is a dot: a line needs two.
        points: {
          show: true,
          size: 4,
          filter: (plot: uPlot, index: number) => lonely(Array.from(plot.data[index] ?? [])),
        },
        ...(line.fill === true ? { fill: `${color(line.color)}22` } : {}),
      })),
    ],
  };
}

function lonely(values: readonly (number | null | undefined)[]): number[] {
  const isEmpty = (index: number): boolean => values[index] == null;
  return [...values.keys()].filter((i) => !isEmpty(i) && isEmpty(i - 1) && isEmpty(i + 1));
}

function clock(at: number): string {
  const date = new Date(at * 1000);
  return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
}

function short(value: number): string {
  return value >= 1000 ? `${value / 1000}k` : String(value);
}
