import { BlockList, isIP } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");
loopback.addSubnet("::ffff:127.0.0.0", 104, "ipv6");

/** Whether an IP address is one of this host's loopback addresses; false for anything that is no address. */
export function isLoopbackAddress(address: string | undefined): boolean {
  if (address === undefined) return false;
  const family = isIP(address);
  if (family === 0) return false;
  return loopback.check(address, family === 4 ? "ipv4" : "ipv6");
}

/**
 * Whether a Host header names loopback: `localhost` or a loopback address, with or without a port. A page in a browser on this host can
 * make a name of its own point here, but cannot choose this header (DNS rebinding).
 */
export function isLoopbackHost(host: string | undefined): boolean {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/u.exec(host ?? "") ?? [];
  if (plain?.toLowerCase() === "localhost") return true;
  return isLoopbackAddress(bracketed ?? plain);
}
