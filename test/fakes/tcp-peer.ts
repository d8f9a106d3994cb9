import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";

/** How a peer treats each socket that it accepts. */
export type TcpPeerBehaviour = (socket: Socket) => void;

/** A listener on loopback that speaks no protocol, for what no real server does on demand. It counts the sockets it accepts. */
export interface TcpPeer {
  readonly port: number;
  /** Sockets accepted so far. */
  readonly accepted: () => number;
  /** Sockets open now. */
  readonly open: () => number;
  readonly stop: () => Promise<void>;
}

/** Accepts and never answers. */
export const neverAnswers: TcpPeerBehaviour = (socket) => void socket.resume();

/** Accepts, waits for the first bytes and hangs up. */
export const hangsUp: TcpPeerBehaviour = (socket) =>
  void socket.once("data", () => socket.destroy());

/** Accepts and closes its own half; goes on reading, and never answers. */
export const closesItsHalf: TcpPeerBehaviour = (socket) => {
  socket.resume();
  socket.end();
};

/** Accepts and answers everything with the same bytes. */
export function answers(bytes: string): TcpPeerBehaviour {
  return (socket) => void socket.on("data", () => socket.write(bytes));
}

/** Starts a listener on a free port. */
export async function startTcpPeer(behaviour: TcpPeerBehaviour): Promise<TcpPeer> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
    // With both halves of its own to manage, a peer that the client leaves must be told to go.
    socket.once("end", () => socket.destroy());
    behaviour(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    open: () => sockets.size,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
