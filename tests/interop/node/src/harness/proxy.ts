// A TCP proxy that misbehaves on demand: cuts connections, swallows what they carry, refuses new ones, is slow.

import net from "node:net";

/** What is lost of what a connection carries. */
export interface Swallows {
  toServer: boolean;
  toClient: boolean;
}

interface Link {
  readonly client: net.Socket;
  swallows: Swallows;
}

export class Proxy {
  /** New connections are closed at once: no network. */
  refusing = false;
  /** Milliseconds each piece waits on its way, in both directions. */
  delay = 0;
  private readonly links = new Set<Link>();
  private readonly server: net.Server;

  private constructor(private readonly upstream: () => string) {
    this.server = net.createServer({ noDelay: true }, (client) => this.connect(client));
  }

  /** Listens on a port of its own and connects each client to `upstream()`. */
  static async start(upstream: () => string): Promise<Proxy> {
    const proxy = new Proxy(upstream);
    await new Promise<void>((resolve) => proxy.server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as net.AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.cut();
  }

  /** Resets every connection there is. New ones work. */
  cut(): void {
    for (const link of this.links) link.client.resetAndDestroy();
  }

  /** What the connections there are carry in these directions is lost from here on. New ones work. */
  swallow(swallows: Swallows): void {
    for (const link of this.links) link.swallows = swallows;
  }

  private connect(client: net.Socket): void {
    client.on("error", () => {});
    const upstream = this.upstream();
    if (this.refusing || !upstream) {
      client.resetAndDestroy();
      return;
    }
    const [host, port] = upstream.split(":");
    const server = net.connect({ host: host!, port: Number(port), noDelay: true });
    const link: Link = { client, swallows: { toServer: false, toClient: false } };
    this.links.add(link);
    server.on("error", () => client.resetAndDestroy());
    server.on("close", () => client.resetAndDestroy());
    client.on("close", () => {
      this.links.delete(link);
      server.resetAndDestroy();
    });
    client.on("data", (piece) => this.carry(server, piece, () => link.swallows.toServer));
    server.on("data", (piece) => this.carry(client, piece, () => link.swallows.toClient));
  }

  private carry(target: net.Socket, piece: Buffer, isLost: () => boolean): void {
    const deliver = () => {
      if (!isLost() && target.writable) target.write(piece);
    };
    // waits: the delay is what this proxy is for
    if (this.delay) setTimeout(deliver, this.delay);
    else deliver();
  }
}
