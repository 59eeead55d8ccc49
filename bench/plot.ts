import { BarChart, CustomChart } from 'echarts/charts';
import { GridComponent, MarkLineComponent, TitleComponent } from 'echarts/components';
import { init, use, type EChartsCoreOption } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { JudgedRow, TableReport } from './run_table.js';
import { showMeasured } from './table_text.js';

use([BarChart, CustomChart, GridComponent, MarkLineComponent, TitleComponent, SVGRenderer]);

const WIDTH = 1100;
const ROW_HEIGHT = 34;
const MARGIN = { top: 70, right: 300, bottom: 50, left: 240 };
/** Scores that the plot reaches at least. */
const SCORE_MIN = 0.5;
const SCORE_MAX = 2;
const COLORS = { met: '#2f7d4f', 'falls short': '#b3541e', 'not run': '#777777' } as const;

/** What of the chart's own interface a whisker needs: it has no type that says so. */
interface WhiskerApi {
  value(dimension: number): number;
  coord(at: readonly [number, number]): [number, number];
}

/**
 * The table as an SVG: a bar a row, how many times as good as was promised on a logarithmic axis, 1 being just met; a line from the
 * least to the most of the rounds; what was measured in words beside it. Rows that were skipped say why.
 */
export function plotTable({ machine, rows }: TableReport): string {
  const height = MARGIN.top + MARGIN.bottom + rows.length * ROW_HEIGHT;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    const { date, cpu, node } = machine;
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      title: { text: 'p2m bench: times as good as promised', subtext: `${date}, ${cpu}, node ${node}`, left: 10 },
      grid: MARGIN,
      xAxis: { type: 'log', startValue: 1, ...axisRange(rows), silent: true, axisLabel: { formatter: '{value} x' } },
      yAxis: { type: 'category', inverse: true, data: rows.map(({ name }) => name), axisTick: { show: false } },
      series: [bars(rows), whiskers(rows), sayings(rows)],
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

/** Powers of two around all that was measured. */
function axisRange(rows: readonly JudgedRow[]): { min: number; max: number; logBase: number } {
  const scores = rows.flatMap(({ score }) => (score === undefined ? [] : [score.min, score.max]));
  const min = 2 ** Math.floor(Math.log2(Math.min(SCORE_MIN, ...scores)));
  const max = 2 ** Math.ceil(Math.log2(Math.max(SCORE_MAX, ...scores)));
  return { min, max, logBase: 2 };
}

function bars(rows: readonly JudgedRow[]): EChartsCoreOption {
  return {
    type: 'bar',
    silent: true,
    barWidth: '50%',
    data: rows.map(({ score, verdict }) => ({
      value: score?.median ?? '-',
      itemStyle: { color: COLORS[verdict], opacity: 0.75 },
    })),
    markLine: {
      silent: true,
      symbol: 'none',
      label: { show: false },
      lineStyle: { color: '#222222', type: 'solid' },
      data: [{ xAxis: 1 }],
    },
  };
}

/** From the least to the most of the rounds. */
function whiskers(rows: readonly JudgedRow[]): EChartsCoreOption {
  const data = rows.flatMap(({ score }, row) => (score === undefined ? [] : [[score.min, row, score.max]]));
  return {
    type: 'custom',
    silent: true,
    data,
    encode: { x: [0, 2], y: 1 },
    renderItem: (_: unknown, api: WhiskerApi) => {
      const [x1, y] = api.coord([api.value(0), api.value(1)]);
      const [x2] = api.coord([api.value(2), api.value(1)]);
      return { type: 'line', shape: { x1, y1: y, x2, y2: y }, style: { stroke: '#222222', lineWidth: 2 } };
    },
    z: 10,
  };
}

/** At the right edge, in words: what was measured, against what; or why nothing was. */
function sayings(rows: readonly JudgedRow[]): EChartsCoreOption {
  return {
    type: 'custom',
    silent: true,
    data: rows.map((_, row) => [1, row]),
    encode: { x: 0, y: 1 },
    renderItem: (_: unknown, api: WhiskerApi) => {
      const row = rows[api.value(1)]!;
      const [, y] = api.coord([1, api.value(1)]);
      const text = row.verdict === 'not run' ? showMeasured(row) : `${showMeasured(row)}  ${row.verdict}`;
      const style = { x: WIDTH - MARGIN.right + 12, y, text, fill: COLORS[row.verdict], verticalAlign: 'middle' };
      return { type: 'text', style: { ...style, width: MARGIN.right - 16, overflow: 'break', fontSize: 12 } };
    },
    clip: false,
  };
}
