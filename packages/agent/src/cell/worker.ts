/** Entry of the worker thread that runs the cells of one thread: the port to the host, and the sandbox behind it. */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { ToWorker, WorkerStart } from './messages.ts';
import { Sandbox } from './sandbox.ts';

const port = parentPort;
if (port === null) throw new Error('This file is the entry of a worker thread.');

const start: WorkerStart = workerData;
const inbox: ToWorker[] = [];

const sandbox = await Sandbox.open(start, {
  post: (message) => port.postMessage(message),
  isTerminated: (cell) => {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      // What is taken here is not announced any more.
      if (inbox.push(next.message) === 1) setImmediate(handleAll);
    }
    return inbox.some((message) => message.type === 'terminate' && message.cell === cell);
  },
});

// Answers once unasked: from now on it can.
handle({ type: 'ping' });
port.on('message', (received: ToWorker) => {
  inbox.push(received);
  handleAll();
});

function handleAll(): void {
  for (let message = inbox.shift(); message !== undefined; message = inbox.shift()) handle(message);
}

function handle(message: ToWorker): void {
  switch (message.type) {
    case 'run':
      sandbox.run(message.cell, message.source, message.tools);
      return;
    case 'settle':
      sandbox.settle(message.cell, message.call, message.result);
      return;
    case 'terminate':
      sandbox.terminate(message.cell);
      return;
    case 'ping':
      port?.postMessage({ type: 'pong' });
  }
}
