/** One command: its name and arguments in order. */
export interface RedisCommand {
  readonly name: string;
  readonly args: readonly (string | number)[];
}

/** What came back for one command. `error` is a reply or the end of the socket. */
export type RedisReply =
  | { readonly status: "answered"; readonly value: unknown }
  | { readonly status: "failed"; readonly error: Error };

/** Receives the reply of the command at `index`, as it arrives. */
export type OnReply = (index: number, reply: RedisReply) => void;
