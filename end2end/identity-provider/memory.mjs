// What the identity provider keeps, in memory: sessions, grants, codes and tokens of one provider, gone with its process.
// oidc-provider's own memory drops old entries when it is full, which a long test would take for a revocation.
//
// oidc-provider names each kind of thing it stores; a new kind needs nothing here, unless it is looked up by
// something other than its id.

/**
 * @typedef {import('oidc-provider').Adapter} Adapter
 * @typedef {import('oidc-provider').AdapterPayload} AdapterPayload
 */

/** oidc-provider leaves it to its memory to forget what ran out. @param {AdapterPayload | undefined} entry */
const isOver = (entry) => entry?.exp !== undefined && entry.exp <= Date.now() / 1000;

/** Everything of one provider; `adapter` is what oidc-provider asks for. */
export class Memory {
  /** @type {Map<string, AdapterPayload>} Keys are the kind and the id. */
  #entries = new Map();

  /**
   * @param {string} kind such as `Grant` or `RefreshToken`
   * @returns {Adapter}
   */
  adapter = (kind) => {
    const entries = this.#entries;
    /** @param {string} id */
    const key = (id) => `${kind}:${id}`;
    /** @param {(entry: AdapterPayload) => boolean} wanted */
    const first = (wanted) => [...entries].find(([name, entry]) => name.startsWith(`${kind}:`) && wanted(entry))?.[1];
    return {
      upsert: async (id, payload) => void entries.set(key(id), payload),
      find: async (id) => {
        const entry = entries.get(key(id));
        return isOver(entry) ? undefined : entry;
      },
      findByUid: async (uid) => first((entry) => entry.uid === uid),
      findByUserCode: async (code) => first((entry) => entry.userCode === code),
      consume: async (id) => {
        const entry = entries.get(key(id));
        if (entry) entry.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => void entries.delete(key(id)),
      revokeByGrantId: async (grant) => {
        for (const [name, entry] of entries) {
          if (name.startsWith(`${kind}:`) && entry.grantId === grant) entries.delete(name);
        }
      },
    };
  };

  /** Forgets everything, as if every token had been revoked and everybody signed out. */
  clear() {
    this.#entries.clear();
  }
}
