// Everything the good provider remembers. It outlives the Provider object, which is made anew whenever
// its keys or clients change.
const stored = new Map();

export class Adapter {
  constructor(model) { this.model = model; }

  key(id) { return `${this.model}:${id}`; }

  async upsert(id, payload, expiresIn) {
    stored.set(this.key(id), { payload, until: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
  }

  async find(id) {
    const entry = stored.get(this.key(id));
    return entry && entry.until > Date.now() ? entry.payload : undefined;
  }

  async findByUid(uid) { return this.search((payload) => payload.uid === uid); }

  async findByUserCode(code) { return this.search((payload) => payload.userCode === code); }

  async search(matches) {
    for (const [key, { payload }] of stored) {
      if (key.startsWith(`${this.model}:`) && matches(payload)) return payload;
    }
    return undefined;
  }

  async destroy(id) { stored.delete(this.key(id)); }

  async consume(id) { stored.get(this.key(id)).payload.consumed = Math.floor(Date.now() / 1000); }

  async revokeByGrantId(grantId) { forget((payload) => payload.grantId === grantId); }
}

export const forget = (matches) => {
  let count = 0;
  for (const [key, { payload }] of stored) {
    if (matches(payload)) { stored.delete(key); count += 1; }
  }
  return count;
};
