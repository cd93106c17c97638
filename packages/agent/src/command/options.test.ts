import { describe, expect, it } from 'vitest';
import { commandOptions, requireService, UsageError } from './options.ts';

const options = (...args: string[]) => commandOptions(args, { OPENAI_MODEL: 'model-1' });

describe('the command line', () => {
  it('needs a prompt, and a model from somewhere', () => {
    expect(options('say', 'hello')).toMatchObject({ prompt: 'say hello', model: 'model-1', agents: true, json: false });
    expect(options('--model', 'model-2', 'hi')).toMatchObject({ model: 'model-2' });
    expect(() => options()).toThrow('There is no prompt.');
    expect(() => commandOptions(['hi'], {})).toThrow('There is no model');
    expect(options('--help')).toBeNull();
  });

  it('takes servers apart as a shell would, and names each once', () => {
    const parsed = options(
      '--mcp',
      `/bin/node.exe "a b".mjs 'c d' e`,
      '--mcp',
      'docs=npx docs',
      '--mcp',
      'node x',
      'hi',
    );
    expect(parsed?.mcp).toEqual([
      { name: 'node', command: '/bin/node.exe', args: ['a b.mjs', 'c d', 'e'] },
      { name: 'docs', command: 'npx', args: ['docs'] },
      { name: 'node-2', command: 'node', args: ['x'] },
    ]);
    expect(() => options('--mcp', ' ', 'hi')).toThrow('--mcp must be a command');
  });

  it('refuses what makes no sense', () => {
    expect(options('--compact-at', '20000', 'hi')?.compactAtTokens).toBe(20_000);
    for (const wrong of ['0', '-1', '1e5', 'many']) {
      expect(() => options(`--compact-at=${wrong}`, 'hi')).toThrow('--compact-at must be a number of tokens');
    }
    for (const [args, sentence] of [
      [['--bogus', 'hi'], "Unknown option '--bogus'."],
      [['--model'], "Option '--model <value>' argument missing."],
      [['--json=1', 'hi'], "Option '--json' does not take an argument."],
      [['--cwd', '--json'], "Option '--cwd' argument is ambiguous."],
    ] as const) {
      expect(() => options(...args)).toThrow(new UsageError(sentence));
    }
  });

  it('asks the service that the environment names', () => {
    expect(() => requireService({})).toThrow('OPENAI_API_KEY is not set.');
    for (const address of [undefined, '', ' ', 'http://127.0.0.1:1/v1', 'HTTPS://example.com'])
      requireService({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: address });
    for (const address of ['127.0.0.1', 'localhost:80', 'ftp://example.com', 'http://'])
      expect(() => requireService({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: address })).toThrow(`but is '${address}'.`);
  });
});
