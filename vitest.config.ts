import { defineConfig } from 'vitest/config';
import { coreDoors } from './scripts/doors.mjs';

// Tests import the source, not the build: `@rollout-trace/core/reducer` is packages/core/src/reducer/index.ts.
const alias = coreDoors().map(({ door, source }) => ({ find: new RegExp(`^${door}$`), replacement: source }));

export default defineConfig({
  resolve: { alias },
  test: {
    pool: 'threads',
    maxWorkers: 2,
    // Generous: a loaded machine is slow, and a hang is a hang after a minute as well.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', './scripts/plain-reporter.mjs'],
    projects: [
      { extends: true, test: { name: 'core', include: ['packages/core/src/**/*.test.ts'] } },
      { extends: true, test: { name: 'agent', include: ['packages/agent/src/**/*.test.ts'] } },
      { extends: true, test: { name: 'cli', include: ['packages/cli/src/**/*.test.ts'] } },
      { extends: true, test: { name: 'repo', include: ['scripts/**/*.test.ts'] } },
    ],
  },
});
