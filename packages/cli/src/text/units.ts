/** Numbers for people: every one has its unit. Times are those of the machine's own time zone. */

import type { Int64 } from '@rollout-trace/core/format';

/** `1,234,567` */
export function count(value: Int64): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** `1 thread`, `2 threads` */
export function counted(value: Int64, noun: string, plural: string = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

/** `987`, `12,345`, `1.23M`: short enough for a column. */
export function compact(value: Int64): string {
  const n = Number(value);
  if (n < 1e6) return count(value);
  if (n < 1e9) return `${(n / 1e6).toFixed(n < 1e7 ? 2 : 1)}M`;
  return `${(n / 1e9).toFixed(n < 1e10 ? 2 : 1)}G`;
}

/** `882 ms`, `12.3 s`, `3 min 20 s`, `2 h 5 min`, `4 d 6 h` */
export function duration(ms: number): string {
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(seconds, 60, 'min', 's');
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1440) return pair(minutes, 60, 'h', 'min');
  return pair(Math.round(ms / 3_600_000), 24, 'd', 'h');
}

function pair(value: number, base: number, large: string, small: string): string {
  const rest = value % base;
  return `${count(Math.floor(value / base))} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}

/** `145 B`, `388 kB`, `4.6 MB`: powers of a thousand. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let scaled = value / 1000;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${scaled < 9.95 ? scaled.toFixed(1) : Math.round(scaled)} ${units[unit]}`;
}

/** `25 %`; `0 %` of nothing. */
export function percent(part: Int64, whole: Int64): string {
  return Number(whole) === 0 ? '0 %' : `${Math.round((Number(part) / Number(whole)) * 100)} %`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `2026-11-20 21:23:53`, or `?` where the number is no time. */
export function moment(unixMs: Int64): string {
  const date = new Date(Number(unixMs));
  if (Number.isNaN(date.getTime())) return '?';
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${timeOfDay(unixMs).slice(0, 8)}`;
}

/** `21:23:53.736` */
export function timeOfDay(unixMs: Int64): string {
  const date = new Date(Number(unixMs));
  if (Number.isNaN(date.getTime())) return '?';
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}
