// Every JavaScript client over every upstream dialect: the same questions get the same answers.

import assert from 'node:assert/strict';

import {
  BedrockRuntimeClient,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';

import { FACES } from './faces.mjs';
import * as h from './harness.mjs';

h.useMatrixLanes(50, 80);
const TEXT = 'Hello there, friend';
const PERSON = {
  type: 'object',
  title: 'person',
  properties: { name: { type: 'string' }, age: { type: 'integer' } },
  required: ['name', 'age'],
  additionalProperties: false,
};

for (const [sdk, Face] of Object.entries(FACES)) {
  const over = (name, body) => h.overUpstreams(Face.dialect, `${sdk}: ${name}`, body);
  const make = (one, upstream, name, ask = {}) => new Face(one.dotted(upstream, name), ask);

  over('an answer comes whole and streamed alike', async (one, upstream) => {
    for (const stream of [false, true]) {
      const got = await make(one, upstream, 'fake-text', { stream, system: 'Be brief.' }).say(TEXT);
      assert.equal(got.text, `[Be brief.] ${h.ECHO}`);
      assert.deepEqual([got.stop, got.tokens], ['end', [5, 6]]);
    }
  });

  over('parallel calls are kept apart and answered', async (one, upstream) => {
    for (const stream of [false, true]) {
      const chat = make(one, upstream, 'fake-interleaved-tools', { stream, tools: true });
      const got = await chat.say(TEXT);
      assert.deepEqual(
        got.calls.map((call) => call.input.city),
        h.CITIES,
      );
      assert.equal(got.stop, 'tool');
      assert.equal((await chat.answer(got, ['rain', 'sun', 'snow'])).text, 'Results: rain; sun; snow');
    }
  });

  over('a picture is seen', async (one, upstream) => {
    const { data, facts } = h.picture(8, 6);
    assert.equal((await make(one, upstream, 'fake-vision').say('What?', data)).text, facts);
  });

  over('structured output has its schema', async (one, upstream) => {
    for (const stream of [false, true]) {
      const got = await make(one, upstream, 'fake-json', { stream, schema: PERSON }).say(TEXT);
      assert.deepEqual(JSON.parse(got.text), { name: 'a name', age: 7 });
    }
  });

  over('thinking comes beside the answer', async (one, upstream) => {
    // OpenAI shows a summary only to those who ask for one, and chat completions have no way to ask.
    const isShown = !(Face.dialect === 'oai' && upstream === 'rsp');
    for (const stream of [false, true]) {
      const got = await make(one, upstream, 'fake-thinking', { stream, thinking: true }).say(TEXT);
      assert.deepEqual([got.thinking, got.text], [isShown ? h.THINKING : '', h.ECHO]);
    }
  });

  over('five turns with thinking and tools come to their end', async (one, upstream) => {
    for (const stream of [false, true]) {
      const chat = make(one, upstream, 'fake-agent', { stream, tools: true, thinking: true });
      let got = await chat.say('Find out.');
      let said = 0;
      for (let turn = 1; turn < 5; ++turn) {
        got = await chat.answer(
          got,
          got.calls.map(() => `result ${said++}`),
        );
      }
      assert.equal(got.text, 'Results: result 0; result 1; result 2; result 3; result 4');
    }
    assert.deepEqual(
      (await one.records()).map((record) => record.status),
      Array(10).fill(200),
    );
  });

  over('characters survive in a stream', async (one, upstream) => {
    const chat = new Face(one.dotted(upstream, 'fake-unicode', 'chunk=3'), { stream: true });
    assert.equal((await chat.say(TEXT)).text, h.UNICODE);
  });

  over('a limit is told as one', async (one, upstream) => {
    for (const stream of [false, true]) {
      const got = await make(one, upstream, 'fake-long', { stream, limit: 20 }).say('words=100');
      assert.deepEqual([got.stop, got.tokens[1]], ['length', 20]);
    }
  });

  for (const fault of ['status=400', 'status=429;retry-after=90']) {
    over(`${fault} has the class that the SDK has for it`, async (one, upstream) => {
      const status = Number(fault.slice(7, 10));
      const chat = new Face(one.dotted(upstream, 'fake-text', fault, true));
      await assert.rejects(chat.say(TEXT), (error) => Face.fails(error, status) || assert.fail(error));
    });
  }

  over('a stream that breaks raises', async (one, upstream) => {
    const chat = new Face(one.dotted(upstream, 'fake-text', 'error-event-after=9', true));
    chat.addUser(Array.from({ length: 20 }, (_, at) => `word${at}`).join(' '));
    await assert.rejects(h.collect(chat.texts()).then((texts) => assert.ok(texts.length > 15, 'cut in silence')));
  });

  over('an abort ends the providers work', async (one, upstream) => {
    const chat = make(one, upstream, 'fake-slow');
    chat.addUser(TEXT);
    let count = 0;
    for await (const _ of chat.texts()) if (++count === 3) break;
    assert.ok((await one.waitGone()) < 5000);
  });
}

h.overUpstreams('inv', '@aws-sdk/client-bedrock-runtime: InvokeModel, whole and streamed', async (one, upstream) => {
  if (h.direct) return;
  const client = new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: h.BEDROCK_URL,
    credentials: h.AWS,
    maxAttempts: 1,
  });
  const input = {
    modelId: one.dotted(upstream, 'fake-unicode'),
    body: JSON.stringify({
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 1000,
      messages: [{ role: 'user', content: TEXT }],
    }),
  };
  const { body } = await client.send(new InvokeModelCommand(input));
  assert.equal(JSON.parse(new TextDecoder().decode(body)).content[0].text, h.UNICODE);
  const streamed = await client.send(new InvokeModelWithResponseStreamCommand(input));
  let text = '';
  for await (const { chunk } of streamed.body) {
    const event = JSON.parse(new TextDecoder().decode(chunk.bytes));
    text += event.delta?.text ?? '';
  }
  assert.equal(text, h.UNICODE);
  client.destroy();
});
