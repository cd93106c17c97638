/** The program: runs the command of the process's arguments. Everything else is in `run.ts`. */

import { DescriptorStream } from './io/stream.ts';
import { run } from './run.ts';

const code = run(process.argv.slice(2), {
  stdout: new DescriptorStream(1),
  stderr: new DescriptorStream(2),
  environment: process.env,
});
// All is written by now; going at once spares the engine the work it still has in the background.
if (typeof code === 'number') process.exit(code);
else {
  void code.then((late) => {
    process.exitCode = late;
  });
}
