/**
 * One MCP server: started, asked for its tools, called, started once more where it died, and ended.
 *
 * Not here: the process (`stdio-process.ts`), and what the model is told of the tools (`mcp-tools.ts`).
 */

import { type CallToolResult, Client, SdkError, SdkErrorCode, type Tool } from '@modelcontextprotocol/client';
import { type StdioCommand, StdioProcess } from './stdio-process.ts';

/** A server as it is configured. */
export interface McpServerOptions extends StdioCommand {
  /** Unique among the servers of a session. */
  name: string;
  /** How long it may take to start and to list its tools; 20 seconds where it is left out. */
  start_timeout_ms?: number;
  /** How long a call may go on without a result and without progress; a minute where it is left out. */
  call_timeout_ms?: number;
}

/** The parameters of a `tools/call` request. */
export interface CallParams {
  name: string;
  arguments: Record<string, unknown>;
}

const START_TIMEOUT_MS = 20_000;
const CALL_TIMEOUT_MS = 60_000;
/** A server that reports progress for ever is cut off after this many times its timeout. */
const LONGEST_CALL = 10;
/** A server that died is started again by the next call, this often. */
const RESTARTS = 1;

interface Connection {
  readonly client: Client;
  readonly process: StdioProcess;
}

/** A call that has no result. */
export class McpCallError extends Error {
  override readonly name = 'McpCallError';
  readonly cancelled: boolean;

  constructor(message: string, cancelled: boolean) {
    super(message);
    this.cancelled = cancelled;
  }
}

/** A server that was started. */
export class McpServer {
  readonly name: string;
  /** As the server listed them when it was started. */
  readonly tools: readonly Tool[];
  readonly #options: McpServerOptions;
  readonly #stop = new AbortController();
  #connection: Promise<Connection>;
  #restarts = 0;

  /** @throws {Error} where it cannot be started, is no MCP server, or takes too long */
  static async start(options: McpServerOptions, signal?: AbortSignal): Promise<McpServer> {
    const connection = await connect(options, signal);
    try {
      const time = { timeout: options.start_timeout_ms ?? START_TIMEOUT_MS, ...(signal && { signal }) };
      const { tools } = await connection.client.listTools({}, time);
      return new McpServer(options, connection, tools);
    } catch (error) {
      throw await startFailure(options, connection.process, error);
    }
  }

  private constructor(options: McpServerOptions, connection: Connection, tools: readonly Tool[]) {
    this.name = options.name;
    this.tools = tools;
    this.#options = options;
    this.#connection = Promise.resolve(connection);
  }

  /**
   * Calls a tool.
   *
   * @param prepare gets the parameters just before they are sent, and gives what is really sent
   * @throws {McpCallError} where there is no result: the server refused, died, took too long, or `signal` was aborted
   */
  async call(
    params: CallParams,
    signal: AbortSignal,
    prepare: (params: CallParams) => CallParams,
  ): Promise<CallToolResult> {
    const timeout = this.#options.call_timeout_ms ?? CALL_TIMEOUT_MS;
    const connection = await this.#running();
    if (signal.aborted) throw this.#failure(connection, signal, timeout, null);
    try {
      return await connection.client.callTool(prepare(params), {
        signal,
        timeout,
        // Asked for, so that a server that works and says so is not taken for one that hangs.
        onprogress: () => undefined,
        resetTimeoutOnProgress: true,
        maxTotalTimeout: timeout * LONGEST_CALL,
      });
    } catch (error) {
      throw this.#failure(connection, signal, timeout, error);
    }
  }

  /** Ends the process, and with it every call that still runs. */
  async close(): Promise<void> {
    this.#stop.abort();
    const connection = await this.#connection.catch(() => null);
    await connection?.process.close();
  }

  /** The connection to a process that runs; starts one where the last one died and may be replaced. */
  async #running(): Promise<Connection> {
    const before = this.#connection;
    const connection = await before.catch((error: unknown) => {
      throw new McpCallError(error instanceof Error ? error.message : String(error), false);
    });
    const { end } = connection.process;
    if (this.#stop.signal.aborted) throw new McpCallError(`MCP server ${this.name} was closed.`, false);
    if (end === null) return connection;
    // Calls that waited together start it together.
    if (before !== this.#connection) return this.#running();
    if (this.#restarts >= RESTARTS) throw new McpCallError(`MCP server ${this.name} is gone: it ${end}.`, false);
    this.#restarts += 1;
    // One that cannot be used any more may still be about to end.
    this.#connection = connection.process.close().then(() => connect(this.#options, this.#stop.signal));
    return this.#running();
  }

  #failure({ process }: Connection, signal: AbortSignal, timeout_ms: number, error: unknown): McpCallError {
    if (signal.aborted) return new McpCallError(`The call to MCP server ${this.name} was cancelled.`, true);
    if (this.#stop.signal.aborted) return new McpCallError(`MCP server ${this.name} was closed.`, true);
    if (process.end !== null) {
      return new McpCallError(`MCP server ${this.name} ended during the call: it ${process.end}.`, false);
    }
    if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) {
      return new McpCallError(`MCP server ${this.name} did not answer within ${timeout_ms} ms.`, false);
    }
    return new McpCallError(`MCP server ${this.name}: ${error instanceof Error ? error.message : error}`, false);
  }
}

async function connect(options: McpServerOptions, signal?: AbortSignal): Promise<Connection> {
  const process = new StdioProcess(options);
  const client = new Client({ name: 'rollout-trace-agent', version: '0.1.0' });
  try {
    const time = { timeout: options.start_timeout_ms ?? START_TIMEOUT_MS, ...(signal && { signal }) };
    await client.connect(process, time);
    return { client, process };
  } catch (error) {
    throw await startFailure(options, process, error);
  }
}

/** Ends the process as well, of which nobody else hears. */
async function startFailure(
  { name, command }: McpServerOptions,
  process: StdioProcess,
  cause: unknown,
): Promise<Error> {
  const why = cause instanceof Error ? cause.message : String(cause);
  // How it ended by itself: that it ends now is our doing.
  const how = process.end ?? `could not be used: ${why}`;
  await process.close();
  return new Error(`MCP server ${name} (${command}) did not start: it ${how}.`, { cause });
}
