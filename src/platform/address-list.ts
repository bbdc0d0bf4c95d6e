import { BlockList, isIP } from 'node:net';

/** Addresses and networks, such as those of proxies. */
export class AddressList {
  readonly #list = new BlockList();

  /** Each is an address or a network (`10.0.0.0/8`), as the configuration has checked. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const network = parseCidr(entry);
      if (network !== undefined) this.#list.addSubnet(network.address, network.prefix, network.family);
      else this.#list.addAddress(entry, familyOf(entry));
    }
  }

  has(address: string): boolean {
    const plain = plainAddress(address);
    return isIP(plain) !== 0 && this.#list.check(plain, familyOf(plain));
  }

  /**
   * Who sent a request: the peer, or what trusted proxies say of theirs, read from the right, up to the first address
   * that is none of them.
   */
  sender(peer: string, forwardedFor: string | undefined): string {
    let sender = peer;
    const hops = (forwardedFor ?? '').split(',').map((hop) => hop.trim());
    while (hops.length > 0 && this.has(sender)) {
      const hop = hops.pop()!;
      if (isIP(hop) === 0) break;
      sender = hop;
    }
    return sender;
  }
}

/** An IPv4 address that came over a socket for both families is written as IPv6. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

export function parseCidr(
  text: string,
): { readonly address: string; readonly prefix: number; readonly family: 'ipv4' | 'ipv6' } | undefined {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const version = isIP(address);
  const prefix = Number(bits);
  if (version === 0 || prefix > (version === 4 ? 32 : 128)) return undefined;
  return { address, prefix, family: familyOf(address) };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
