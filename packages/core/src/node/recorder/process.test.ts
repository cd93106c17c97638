import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reduceBundle } from '../../bundle/replay.ts';
import { SegmentDecoder } from '../../format/segment/segment-decoder.ts';
import { directorySource } from '../directory-source.ts';
import { materializeSegment } from './materialize-segment.ts';

// What becomes of a trace when its process ends. Each test is a process of its own, so the recorder is built once.
// ROLLOUT_TRACE_KILLS says how often a process is killed, ROLLOUT_TRACE_CODEX names the reference where it is there.
const kills = Number(process.env.ROLLOUT_TRACE_KILLS ?? 6);
const reference = process.env.ROLLOUT_TRACE_CODEX;
const root = mkdtempSync(join(tmpdir(), 'rollout-trace-process-'));
const recorder = join(root, 'recorder.mjs');

beforeAll(async () => {
  const input = fileURLToPath(new URL('../recorder.ts', import.meta.url));
  const build = await rolldown({ input, platform: 'node' });
  await build.write({ file: recorder, format: 'esm' });
});

afterAll(() => rmSync(root, { recursive: true }));

function script(name: string, body: string): string {
  const path = join(root, `${name}.mjs`);
  writeFileSync(path, `import { startRollout, withTrace } from './recorder.mjs';\nimport fs from 'node:fs';\n${body}`);
  return path;
}

const quiet = { ...process.env, NODE_EXTRA_CA_CERTS: undefined };

/** How many acknowledged steps a trace has, and the bundle that is left of it. */
function salvaged(place: string, name: string): { steps: number[]; bundle: string } {
  let bundle = join(place, name);
  if (name.endsWith('.rollout')) {
    const decoder = new SegmentDecoder();
    decoder.push(readFileSync(bundle));
    expect(decoder.tail()?.reason ?? 'torn').toBe('torn');
    materializeSegment(bundle, `${bundle}-bundle`);
    bundle = `${bundle}-bundle`;
  }
  const text = readFileSync(join(bundle, 'trace.jsonl'), 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  writeFileSync(join(bundle, 'trace.jsonl'), whole);
  const steps = [...whole.matchAll(/"item_id":"step-(\d+)"/g)].map((match) => Number(match[1]));
  return { steps, bundle };
}

function accept(bundle: string): void {
  reduceBundle(directorySource(bundle), { mode: 'strict' });
  if (reference === undefined) return;
  execFileSync(reference, ['debug', 'trace-reduce', bundle], { env: { ...quiet, CODEX_HOME: root }, stdio: 'pipe' });
}

describe('a process', () => {
  it('that exits inside a callback loses nothing it recorded', () => {
    const place = join(root, 'exit');
    const path = script(
      'exit',
      `const rollout = startRollout({ root: process.argv[2] });
       const turn = rollout.root.startTurn();
       turn.inference({ model: 'm', providerName: 'p' }).start({ input: [{ type: 'message', role: 'user', content: [] }] });
       withTrace(turn, () => setTimeout(() => { turn.itemAccepted('last'); process.exit(7); }, 1));`,
    );
    const { status, stdout, stderr } = spawnSync(process.execPath, [path, place], { env: quiet, encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({ status: 7, stdout: '', stderr: '' });
    const [bundle = ''] = readdirSync(place);
    expect(
      readFileSync(join(place, bundle, 'trace.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .at(-1),
    ).toContain('"last"');
    accept(join(place, bundle));
  });

  it('with too many open files loses records, but prints nothing and goes on', () => {
    const place = join(root, 'files');
    mkdirSync(place);
    const path = script(
      'files',
      `const told = [];
       const rollout = startRollout({ root: process.argv[2], onDiagnostic: ({ code, message }) => told.push(code + message.includes('EMFILE')) });
       const open = [];
       try { for (;;) open.push(fs.openSync(process.execPath)); } catch {}
       rollout.root.protocolEvent('warning', { n: 1 });
       rollout.root.protocolEvent('warning', { n: 2 });
       for (const fd of open) fs.closeSync(fd);
       rollout.root.protocolEvent('warning', { n: 3 });
       rollout.end();
       fs.writeFileSync(process.argv[3], JSON.stringify({ told, troubles: rollout.troubles }));`,
    );
    const report = join(root, 'report.json');
    const command = `ulimit -n 64 && exec "$0" "$1" "$2" "$3"`;
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command, process.execPath, path, place, report], {
      env: quiet,
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(JSON.parse(readFileSync(report, 'utf8'))).toEqual({
      told: ['write_failedtrue'],
      troubles: { write_failed: 2 },
    });
    const [bundle = ''] = readdirSync(place);
    expect(readFileSync(join(place, bundle, 'payloads', '3.json'), 'utf8')).toContain('2 records were not recorded');
    accept(join(place, bundle));
  });

  for (const format of ['bundle', 'segment'] as const) {
    it(`killed at any instant has every record that was acknowledged: ${format}`, {
      timeout: 20_000 + kills * 2_000,
    }, async () => {
      const path = script(
        `kill-${format}`,
        `const [, , place, acknowledged] = process.argv;
         const rollout = startRollout({ root: place, format: '${format}' });
         const ack = fs.openSync(acknowledged, 'w');
         const input = [];
         for (let n = 1; ; n++) {
           const turn = rollout.root.startTurn();
           input.push({ type: 'message', id: 'step-' + n, role: 'user', content: [{ type: 'input_text', text: 'x'.repeat(n % 997) }] });
           turn.itemAccepted('step-' + n);
           turn.inference({ model: 'm', providerName: 'p' }).start({ input, tools: [] }).complete({ outputItems: [] });
           turn.end();
           fs.writeSync(ack, n + '\\n');
           if (input.length > 100) input.splice(0, 50);
         }`,
      );
      for (let n = 0; n < kills; n++) {
        const place = join(root, `${format}-${n}`);
        const acknowledged = join(root, `ack-${format}-${n}`);
        const child = spawn(process.execPath, [path, place, acknowledged], { env: quiet, stdio: 'inherit' });
        const exit = new Promise((resolve) => child.once('exit', resolve));
        while (!existsSync(acknowledged)) await new Promise((resolve) => setTimeout(resolve, 2));
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 120));
        child.kill('SIGKILL');
        await exit;
        const [name = ''] = readdirSync(place);
        const { steps, bundle } = salvaged(place, name);
        const acks = readFileSync(acknowledged, 'utf8').split('\n').length - 1;
        expect(steps.length).toBeGreaterThanOrEqual(acks);
        expect(steps).toEqual(steps.map((_, i) => i + 1));
        accept(bundle);
        rmSync(place, { recursive: true });
      }
    });
  }
});
