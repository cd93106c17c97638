import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMAND_NAMES } from '../args/command-table.ts';
import { bashCompletion } from './bash.ts';

const fixtures = fileURLToPath(new URL('../../../../fixtures', import.meta.url));

/** Words as an interactive bash hands them over: split at what is in COMP_WORDBREAKS as well. */
function split(line: string): string[] {
  const words = line.split(/ +/).flatMap((word) => word.match(/[@=:]+|[^@=:]+/g) ?? ['']);
  return line.endsWith(' ') || words.at(-1) !== '' ? words : words.slice(0, -1);
}

/** What readline replaces: the word behind the last break, but for an @, which it leaves in. */
function replaced(line: string): string {
  return /(?:@[^ =:@]*|[^ =:@]*)$/.exec(line)?.[0] ?? '';
}

describe.skipIf(process.platform === 'win32')('in bash', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rollout-trace-completion-'));
    mkdirSync(join(folder, 'bundles', '@last-but-a-folder'), { recursive: true });
    for (const name of ['agent.mjs', 'some file', 'a=b']) writeFileSync(join(folder, name), '');
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  /** What it offers where the cursor stands at the end of the line, and whether as names of files. */
  function offers(line: string, cwd = folder, words = split(line), typed = replaced(line)): string[] {
    const script = `compopt() { echo "[$*]"; }
      ${bashCompletion()}
      typed=$1 COMP_LINE=$2 COMP_POINT=\${#2}
      shift 2
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
      _rollout_trace rollout-trace "$typed" "\${COMP_WORDS[COMP_CWORD - 1]}"
      printf '%s\n' "\${COMPREPLY[@]}"`;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', typed, line, ...words], {
      cwd,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout.split('\n').filter((word) => word !== '');
  }

  const FILES = '[-o filenames]';

  it.each([
    ['sho', ['show']],
    ['help sho', ['show']],
    ['help show ', []],
    ['reduce --st', ['--strict']],
    ['--color al', ['always']],
    ['--color=al', ['always']],
    ['reduce --generation 0.14', ['0.140']],
    ['reduce --schema=l', ['latest']],
    ['reduce --schema=', ['own', 'latest']],
    ['reduce --schema l', ['latest']],
    ['reduce --schema=own @l', ['@last', '@last~1']],
    ['reduce --strict=', []],
    ['reduce --output=REA', [FILES, 'README.md']],
    ['reduce x -o READ', [FILES, 'README.md']],
    ['reduce --until ', []],
    ['reduce @', ['@last', '@last~1']],
    ['show @last~', ['@last~1']],
    ['show @last th', ['threads']],
    ['show bund', [FILES, 'bundles']],
    ['show x th', ['threads']],
    ['show --json x inf', ['inferences']],
    ['show @last tool:', []],
    ['show -- bund', [FILES, 'bundles']],
    ['show -- --js', []],
    ['show --st', []],
    ['schema s', ['state']],
    ['completion ', ['bash', 'zsh', 'fish']],
  ])('%j is completed with %j', (line, expected) => {
    expect(offers(`rollout-trace ${line}`, fixtures)).toEqual(expected);
  });

  it('without anything typed offers every command', () => {
    expect(offers('rollout-trace ')).toEqual(COMMAND_NAMES);
    expect(offers('rollout-trace help ')).toEqual(COMMAND_NAMES);
  });

  it.each([
    ['show bundles/@l', 'the folder', [FILES, '@last-but-a-folder']],
    ['show a=', 'a file with = in its name', [FILES, 'b']],
    ['show "some', 'a file in quotes', [FILES, 'some file']],
    ['record --root bun', 'a folder to record in', [FILES, 'bundles']],
    ['record -- compge', 'a command', ['compgen']],
    ['record compge', 'a command, without --', ['compgen']],
    ['record -- ./ag', 'a command by its path', [FILES, './agent.mjs']],
    ['record --root bundles -- node ag', 'an operand of the command', [FILES, 'agent.mjs']],
    ['record node --js', 'no option of ours behind a command', []],
  ])('%j is completed with %s', (line, _what, expected) => {
    const whole = `rollout-trace ${line}`;
    expect(offers(whole, folder, split(whole), replaced(whole).replace(/^"/, ''))).toEqual(expected);
  });

  it('it makes no difference where bash breaks words', () => {
    const line = 'rollout-trace reduce @last --schema=l';
    expect(offers(line, folder, line.split(' '), '--schema=l')).toEqual(['--schema=latest']);
    expect(offers(line, folder, line.split(' '), 'l')).toEqual(['latest']);
  });
});
