import { APIConnectionError, APIError } from 'openai';
import { describe, expect, it } from 'vitest';
import { failureOf, streamFailure } from './failure.ts';
import { Retries } from './retries.ts';

function answer(status: number, error: object, headers: Record<string, string> = {}): APIError {
  return APIError.generate(status, { error }, undefined, new Headers(headers));
}

describe('a failed request', () => {
  it.each([
    ['a server that is down', answer(503, { message: 'busy' }), 'retry'],
    ['too many requests', answer(429, { message: 'slow down' }), 'retry'],
    ['an account without money', answer(429, { message: 'pay', code: 'insufficient_quota' }), 'final'],
    ['a request that took too long', answer(408, { message: 'timeout' }), 'retry'],
    ['a wrong request', answer(400, { message: 'bad request' }), 'final'],
    ['a wrong key', answer(401, { message: 'who are you' }), 'final'],
    [
      'a lost response, by its code',
      answer(400, { message: 'no', code: 'previous_response_not_found' }),
      'unknown_response',
    ],
    [
      'a lost response, by its text',
      answer(404, { message: "Previous response with id 'r' not found." }),
      'unknown_response',
    ],
    ['a lost connection', new APIConnectionError({ message: 'Connection error.' }), 'retry'],
    ['a stream that broke', new TypeError('terminated'), 'retry'],
    ['an event that is no JSON', new SyntaxError('Unexpected end of JSON input'), 'retry'],
    ['a port nobody asks', new TypeError('fetch failed', { cause: new Error('bad port') }), 'final'],
    [
      'an error in a stream that passes',
      new APIError(undefined, { message: 'x', code: 'server_error' }, undefined, undefined),
      'retry',
    ],
    [
      'an error in a stream that stays',
      new APIError(undefined, { message: 'x', code: 'context_length_exceeded' }, undefined, undefined),
      'final',
    ],
  ] as const)('%s: %#', (_what, error, kind) => {
    expect(failureOf(error).kind).toBe(kind);
  });

  it('says what is behind a lost connection', () => {
    const cause = new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1') });
    expect(failureOf(new APIConnectionError({ message: 'Connection error.', cause })).message).toBe(
      'The connection to the model was lost: Connection error. (connect ECONNREFUSED 127.0.0.1:1)',
    );
  });
});

describe('retries', () => {
  const busy = streamFailure('server_error', 'busy');

  it('are as many as there are delays, and begin anew after a success', () => {
    const retries = new Retries([10, 20]);
    expect([retries.after(busy), retries.after(busy), retries.after(busy)]).toEqual([10, 20, null]);
    retries.reset();
    expect(retries.after(busy)).toBe(10);
  });

  it('wait as long as the service asks, but not for ever', () => {
    const asked = (seconds: string) => failureOf(answer(429, { message: 'slow down' }, { 'retry-after': seconds }));
    expect(new Retries([10]).after(asked('3'))).toBe(3000);
    expect(new Retries([10]).after(asked('0'))).toBe(10);
    expect(new Retries([10]).after(asked('Fri, 27 Nov 2026 07:00:00 GMT'))).toBe(10);
    expect(new Retries([10]).after(asked('3600'))).toBeNull();
  });

  it('do not repeat what will fail again', () => {
    expect(new Retries([10]).after(streamFailure('invalid_prompt', 'no'))).toBeNull();
  });
});
