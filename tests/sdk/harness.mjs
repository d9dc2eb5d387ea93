// What every test here shares: the servers' addresses, and `Case`, the identity of one test at the provider.
//
// tests/e2e/stack.py starts the servers and sets the environment. Without WEIR_URL the clients talk to the
// fake provider itself, which proves the tests; then only client and provider of one dialect can be paired.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { deflateSync, crc32 } from 'node:zlib';

export const OPENAI_URL = process.env.OPENAI_URL;
export const ANTHROPIC_URL = process.env.ANTHROPIC_URL;
export const GEMINI_URL = process.env.GEMINI_URL;
export const BEDROCK_URL = process.env.BEDROCK_URL;
export const GEMINI_KEY = 'AIza-fake-client';
export const CLIENT_KEY = 'sk-fake-client';
export const ANTHROPIC_KEY = 'sk-ant-fake-client';
export const direct = !process.env.WEIR_URL;
// The fake verifies signatures; Weir, where nobody has keys, takes any.
export const AWS = { accessKeyId: 'AKIAFAKEUPSTREAM0001', secretAccessKey: 'fake/upstream/secret' };
export const UPSTREAMS = ['oai', 'rsp', 'ant', 'cnv', 'inv', 'gem'];
assert.ok(OPENAI_URL && ANTHROPIC_URL && GEMINI_URL && BEDROCK_URL, 'start these tests through tests/e2e/stack.py');

export const CITIES = ['Zürich', '東京', 'São Paulo 🌊'];
export const THINKING = 'Let me think: 1 + 1 is 2 🤔.';
export const REFUSAL = 'I can not help with that.';
export const UNICODE = 'naïve “quotes” – 東京 🌊 👩‍👩‍👧‍👦 Å \\ "x" \t end 𝒜𝒷𝒸 \u2028 done';
export const HELLO = [{ role: 'user', content: 'Hello there, friend' }];
export const ECHO = 'Echo: Hello there, friend';
export const CITY_SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};

const laneCount = Number(process.env.WEIR_LANES ?? 1);
let nextLane = 0;
let lastLane = laneCount;

/** Gives this file the lanes [from, to) as its own: files run in parallel. */
export function useLanes(from, to) {
  nextLane = from;
  lastLane = to;
}

const nextMatrixLane = {};
let matrixLanes = [0, 0];

/** The same of the lanes [from, to) that each of the six upstreams has. */
export function useMatrixLanes(from, to) {
  matrixLanes = [from, to];
}

/** One test: names models such that the fake provider knows which test asks, and reads back what came. */
export class Case {
  constructor() {
    this.id = randomUUID().slice(0, 12);
    this.lane = '';
  }

  /** The name a client asks for. A faulty one goes through a target that no other test uses. */
  model(upstream, name, fault = '') {
    const full = `${name}~${this.id}${fault ? `!${fault}` : ''}`;
    if (direct) return full;
    if (fault && !this.lane) {
      assert.ok(nextLane < Math.min(lastLane, laneCount), 'more faulty tests than targets for them');
      this.lane = `-f${String(nextLane++).padStart(3, '0')}`;
    }
    return `${upstream}${fault ? this.lane : ''}/${full}`;
  }

  /** The same over all six upstreams, without a slash: Google's SDK writes names into the path as they are. */
  dotted(upstream, name, fault = '', fails = false) {
    const full = `${name}~${this.id}${fault ? `!${fault}` : ''}`;
    if (direct) return full;
    if (fails && !this.lane) {
      const number = (nextMatrixLane[upstream] ??= matrixLanes[0]);
      assert.ok(number < matrixLanes[1], 'more failing tests than targets for them');
      nextMatrixLane[upstream] += 1;
      this.lane = `-x${String(number).padStart(3, '0')}`;
    }
    return `${upstream}${fails ? this.lane : ''}.${full}`;
  }

  async records() {
    const reply = await fetch(`${process.env.FAKE_ANTHROPIC_URL}/_requests?id=${this.id}`);
    return reply.json();
  }

  async bodies() {
    return (await this.records()).map((record) => JSON.parse(Buffer.from(record.body, 'base64').toString()));
  }

  /** Waits until the fake saw its peer leave. */
  async waitGone() {
    for (const end = Date.now() + 5000; Date.now() < end;) {
      const [record] = await this.records();
      if (record?.client_gone_ms != null) return record.client_gone_ms;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(
      `the provider still works for a client that left: ${JSON.stringify(await this.records())}`,
    );
  }
}

/** A test that runs with a new Case; the provider must not have been sent what it has to refuse. */
export function check(name, body) {
  test(name, { timeout: 60_000 }, async () => {
    const one = new Case();
    try {
      await body(one);
    } catch (error) {
      const story = (await one.records()).map((r) => `${r.target} ${r.model} -> ${r.status} ${r.problems}`);
      error.message += `\n  at the fake provider: ${story.join('\n    ') || 'nothing'}`;
      throw error;
    }
    assert.deepEqual(
      (await one.records()).flatMap((record) => record.problems),
      [],
    );
  });
}

/** The same test over each kind of provider behind Weir; `client` is the dialect of the SDK. */
export function overProviders(client, name, body) {
  for (const upstream of direct ? [client] : ['oai', 'ant']) {
    check(`${name} [${upstream} provider]`, (one) => body(one, upstream));
  }
}

/** The same test over all six upstreams. */
export function overUpstreams(client, name, body) {
  for (const upstream of direct ? [client] : UPSTREAMS) {
    check(`${name} [over ${upstream}]`, (one) => body(one, upstream));
  }
}

/** A test of what only Weir does. */
export function checkWeir(name, body) {
  if (!direct) check(name, body);
}

/** A grey PNG as base64, and what a vision model of the fake says about it. */
export function picture(width, height) {
  const chunk = (kind, data) => {
    const named = Buffer.concat([Buffer.from(kind), data]);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(named));
    return Buffer.concat([size, named, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const rows = Buffer.concat(
    Array.from({ length: height }, () => Buffer.from([0, ...Array(width).fill(128)])),
  );
  const png = Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  return { data: png.toString('base64'), facts: `image/png ${width}x${height} ${png.length} bytes` };
}

/** All items of an async iterable. */
export async function collect(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}
