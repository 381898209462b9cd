// What any endpoint of a broken provider may answer. `good` is the text of the answer it should have given.

import { gzipSync } from 'node:zlib';

const json = { 'content-type': 'application/json' };

// Writes as fast as the other side reads, for as long as it reads.
const pour = (res, chunk) => {
  const more = () => { while (!res.destroyed && res.write(chunk)); };
  res.on('drain', more);
  more();
};

// Padding inside the JSON text, where a reader has to take it in before it knows what follows.
const padded = (good, size) => `{"padding":"${'x'.repeat(size)}",${good.slice(good.indexOf('{') + 1)}`;

let bomb;

export const faults = {
  500: ['answers 500 with a JSON error', (res) => res.writeHead(500, json).end('{"error":"server_error"}')],
  503: ['answers 503 and asks to come back later', (res) => res.writeHead(503, { ...json, 'retry-after': '120' }).end('{}')],
  404: ['is not there', (res) => res.writeHead(404).end()],
  empty: ['answers 200 with no body', (res) => res.writeHead(200, json).end()],
  html: ['answers 200 with a web page', (res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<html><body><h1>Welcome</h1></body></html>')],
  'not-json': ['answers 200 with something that only claims to be JSON', (res) => res.writeHead(200, json).end('{"issuer": "x", ')],
  array: ['answers with a JSON list where an object belongs', (res, good) => res.writeHead(200, json).end(`[${good}]`)],
  null: ['answers with JSON null', (res) => res.writeHead(200, json).end('null')],
  deep: ['nests an unknown member 100,000 levels deep', (res, good) => res.writeHead(200, json)
    .end(`{"x":${'['.repeat(1e5)}${']'.repeat(1e5)},${good.slice(good.indexOf('{') + 1)}`), ['login']],
  huge: ['answers with 50 MB of correct JSON', (res, good) => res.writeHead(200, json).end(padded(good, 50e6))],
  endless: ['never stops sending', (res) => { res.writeHead(200, json); res.write('{"padding":"'); pour(res, 'x'.repeat(65536)); }],
  'gzip-bomb': ['sends little that unpacks to 64 MB', (res, good) => {
    bomb ??= gzipSync(Buffer.alloc(64 << 20, ' '));
    res.writeHead(200, { ...json, 'content-encoding': 'gzip' });
    res.write(bomb);
    res.end(gzipSync(good));
  }],
  drip: ['sends one byte per second', (res, good) => {
    res.writeHead(200, json);
    let at = 0;
    const timer = setInterval(() => { if (at < good.length) res.write(good[at++]); else res.end(); }, 1000);
    res.on('close', () => clearInterval(timer));
  }],
  stall: ['takes the request and never answers', () => {}],
  hang: ['sends the headers and then nothing', (res) => { res.writeHead(200, json); res.flushHeaders(); }],
  truncated: ['closes before the announced length', (res, good) => {
    res.writeHead(200, { ...json, 'content-length': good.length + 100 });
    res.write(good, () => res.socket.end());
  }],
  reset: ['resets the connection', (res) => res.socket.resetAndDestroy()],
  redirect: ['redirects to a place that would answer well, but must not get what was sent', (res, good, o) => {
    o.bait = good;
    res.writeHead(307, { location: `${o.base}/bait` }).end();
  }],
  'redirect-loop': ['redirects to itself', (res, good, o, url) => res.writeHead(307, { location: url }).end()],
  'many-headers': ['sends 1,000 header lines', (res, good) => {
    for (let n = 0; n < 1000; n += 1) res.setHeader(`x-header-${n}`, 'x');
    res.writeHead(200, json).end(good);
  }, ['login']],
};
