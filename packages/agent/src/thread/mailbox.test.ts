import { expect, it } from 'vitest';
import { agentMessage } from '../model/item.ts';
import { Mailbox } from './mailbox.ts';

const message = (text: string) =>
  agentMessage({ author: '/root/a', recipient: '/root', content: [{ type: 'input_text', text }] });

it('messages are taken once, in the order they came', () => {
  const mailbox = new Mailbox();
  const [one, two] = [message('one'), message('two')];
  mailbox.deliver(one);
  mailbox.deliver(two);
  expect(mailbox.take()).toEqual([one, two]);
  expect(mailbox.take()).toEqual([]);
  expect(mailbox.hasMail).toBe(false);
});

it('an arrival wakes everybody who waits, and is at once where something is unread', async () => {
  const mailbox = new Mailbox();
  const { signal } = new AbortController();
  const waiting = [mailbox.arrival(signal), mailbox.arrival(signal)];
  mailbox.deliver(message('one'));
  await Promise.all(waiting);
  await mailbox.arrival(signal);
  expect(mailbox.hasMail).toBe(true);
});

it('who stops waiting is let go without mail', async () => {
  const mailbox = new Mailbox();
  const controller = new AbortController();
  const waiting = mailbox.arrival(controller.signal);
  controller.abort();
  await waiting;
  await mailbox.arrival(AbortSignal.abort());
  expect(mailbox.hasMail).toBe(false);
});
