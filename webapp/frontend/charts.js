// The curves of the war room: what a figure has come to against where it was to stand. Only these parts of ECharts are
// bundled, and only the war room loads them.
import { LineChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { getInstanceByDom, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([LineChart, GridComponent, SVGRenderer]);

// `data`: { first, last: days, points: [day, percent of the target] }; last is empty for a figure without a date.
export function draw(place, data) {
  const chart = getInstanceByDom(place) || init(place, null, { renderer: 'svg' });
  chart.resize();
  chart.setOption(option(place, data), true);
}

function option(place, { first, last, points }) {
  const style = getComputedStyle(place);
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const ink = style.getPropertyValue('--ink-2').trim();
  const words = { color: ink, fontSize: rem * 0.96, fontFamily: style.fontFamily };
  const until = last || points[points.length - 1][0];
  const now = { value: points[points.length - 1], symbol: 'circle', symbolSize: rem * 0.5 };
  const done = [[first, 0], ...points.slice(0, -1), now];
  const series = [line(done, { color: style.color, width: rem * 0.22 }, { step: 'end', itemStyle: { color: style.color } })];
  if (last) series.unshift(line([[first, 0], [last, 100]], { color: ink, width: rem * 0.1, type: 'dashed' }));
  return {
    animation: false,
    grid: { left: rem * 2.9, right: rem * 1.2, top: rem * 0.6, bottom: rem * 1.7 },
    xAxis: {
      type: 'time',
      min: first,
      max: until,
      axisLabel: { ...words, customValues: marks(first, until), formatter: isLong(first, until) ? '{yyyy}-{MM}' : '{MM}-{dd}' },
      axisTick: { customValues: marks(first, until) },
      axisLine: { lineStyle: { color: ink } },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      min: 0,
      max: ({ max }) => Math.max(100, Math.ceil(max / 50) * 50),
      interval: 50,
      axisLabel: { ...words, formatter: '{value}%' },
    },
    series,
  };
}

function line(data, lineStyle, more = {}) {
  return { type: 'line', data, lineStyle, symbol: 'none', silent: true, ...more };
}

// Its ends, and as many firsts of months between as leave each other room; days are those of the screen's own clock, as
// ECharts reads them.
function marks(first, last) {
  const [begin, end] = [first, last].map((day) => Number(new Date(`${day}T00:00`)));
  const room = (end - begin) / (isLong(first, last) ? 4 : 5);
  const found = [begin];
  const month = new Date(begin);
  for (month.setDate(1); month < end; month.setMonth(month.getMonth() + 1)) {
    if (month - found[found.length - 1] >= room && end - month >= room) found.push(Number(month));
  }
  return [...found, end];
}

// Whether a year is to be named with its months.
function isLong(first, last) {
  return Date.parse(last) - Date.parse(first) > 366 * 24 * 3600 * 1000;
}
