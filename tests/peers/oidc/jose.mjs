// Keys and signed tokens by hand, so that every one of them can also be made wrong.

import { constants, createHash, createHmac, createPublicKey, generateKeyPairSync, sign as signWith } from 'node:crypto';

const key = (kid, alg, type, options = {}) => {
  const { privateKey, publicKey } = generateKeyPairSync(type, options);
  return { kid, alg, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
};

export const makeKeys = () => ({
  first: key('first', 'RS256', 'rsa', { modulusLength: 2048 }),
  second: key('second', 'RS256', 'rsa', { modulusLength: 2048 }),
  thief: key('thief', 'RS256', 'rsa', { modulusLength: 2048 }),
  weak: key('weak', 'RS256', 'rsa', { modulusLength: 512 }),
  ec: key('ec', 'ES256', 'ec', { namedCurve: 'P-256' }),
  ecThief: key('ec', 'ES256', 'ec', { namedCurve: 'P-256' }),
  ed: key('ed', 'EdDSA', 'ed25519'),
});

export const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

const signature = (input, alg, secret) => {
  switch (alg) {
    case 'RS256': return signWith('sha256', input, secret);
    case 'PS256': return signWith('sha256', input, { key: secret, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    case 'ES256': return signWith('sha256', input, { key: secret, dsaEncoding: 'ieee-p1363' });
    case 'EdDSA': return signWith(null, input, secret);
    case 'HS256': return createHmac('sha256', secret).update(input).digest();
    case 'none': return Buffer.alloc(0);
    default: throw new Error(`no signature for ${alg}`);
  }
};

// `header` and `claims` may be strings: they are then taken as they are, for JSON that no encoder would write.
export const jws = (header, claims, alg, secret) => {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${signature(Buffer.from(input), alg, secret).toString('base64url')}`;
};

export const pem = (of) => createPublicKey(of.privateKey).export({ type: 'spki', format: 'pem' });

export const leftHalf = (alg, text) => {
  const digest = createHash(alg === 'EdDSA' ? 'sha512' : 'sha256').update(text).digest();
  return digest.subarray(0, digest.length / 2).toString('base64url');
};

export const challenge = (verifier) => createHash('sha256').update(verifier).digest('base64url');
