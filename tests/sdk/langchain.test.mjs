// LangChain for JavaScript over every upstream: its chat models for OpenAI and Anthropic, and its agent loop.

import assert from 'node:assert/strict';

import { ChatAnthropic } from '@langchain/anthropic';
import { HumanMessage } from '@langchain/core/messages';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { createAgent, tool } from 'langchain';
import { z } from 'zod';

import * as h from './harness.mjs';

h.useMatrixLanes(148, 154);
// dialect, how a model is made, what gives it 500 ms, what its error is then called
const SDKS = {
  '@langchain/openai': [
    'oai',
    (model, more) =>
      new ChatOpenAI({
        model,
        apiKey: h.CLIENT_KEY,
        maxRetries: 0,
        configuration: { baseURL: h.OPENAI_URL },
        ...more,
      }),
    { timeout: 500 },
    'TimeoutError',
  ],
  '@langchain/anthropic': [
    'ant',
    (model, more) =>
      new ChatAnthropic({
        model,
        apiKey: h.ANTHROPIC_KEY,
        maxRetries: 0,
        maxTokens: 4096,
        anthropicApiUrl: h.ANTHROPIC_URL,
        ...more,
      }),
    { clientOptions: { timeout: 500 } },
    'APIConnectionTimeoutError',
  ],
};
const weather = tool(({ city }) => `sunny in ${city}`, {
  name: 'get_weather',
  description: 'The weather.',
  schema: z.object({ city: z.string() }),
});
const messages = [
  ['system', 'Be brief.'],
  ['human', 'Hello there, friend'],
];

for (const [sdk, [dialect, make, hasty, timeoutError]] of Object.entries(SDKS)) {
  const over = (name, body) => h.overUpstreams(dialect, `${sdk}: ${name}`, body);

  /** The chunks of a stream as one message. */
  const fold = async (stream) => (await h.collect(stream)).reduce((whole, chunk) => whole.concat(chunk));

  over('an answer comes whole and streamed alike', async (one, upstream) => {
    const model = make(one.dotted(upstream, 'fake-text'));
    const whole = await model.invoke(messages);
    const streamed = await fold(await model.stream(messages));
    for (const answer of [whole, streamed]) {
      assert.equal(answer.text, `[Be brief.] ${h.ECHO}`);
      // It adds the one output token that Anthropic counts in message_start to those of message_delta.
      assert.ok([6, 7].includes(answer.usage_metadata.output_tokens));
    }
    assert.equal(whole.usage_metadata.input_tokens, 5);
    // From message_start it takes the input tokens, which an OpenAI provider tells only at the end: an estimate.
    if (dialect === upstream || dialect === 'oai') assert.equal(streamed.usage_metadata.input_tokens, 5);
    else assert.ok(streamed.usage_metadata.input_tokens > 0);
  });

  over('tools are called, whole and streamed', async (one, upstream) => {
    const model = make(one.dotted(upstream, 'fake-parallel-tools')).bindTools([weather]);
    for (const answer of [await model.invoke(messages), await fold(await model.stream(messages))]) {
      assert.deepEqual(
        answer.tool_calls.map((call) => call.args.city),
        h.CITIES,
      );
    }
  });

  over('an agent comes to its answer', async (one, upstream) => {
    const agent = createAgent({ model: make(one.dotted(upstream, 'fake-parallel-tools')), tools: [weather] });
    const state = await agent.invoke({ messages: [{ role: 'user', content: 'Hello there, friend' }] });
    assert.equal(
      state.messages.at(-1).text,
      `Results: ${h.CITIES.map((city) => `sunny in ${city}`).join('; ')}`,
    );
  });

  over('a picture is seen', async (one, upstream) => {
    const { data, facts } = h.picture(8, 6);
    const contentBlocks = [
      { type: 'text', text: 'What?' },
      { type: 'image', mimeType: 'image/png', data },
    ];
    const model = make(one.dotted(upstream, 'fake-vision'));
    const answer = await model.invoke([new HumanMessage({ contentBlocks })]);
    assert.equal(answer.text, facts);
  });

  over('structured output has its schema', async (one, upstream) => {
    const schema = z.object({ name: z.string(), age: z.number() });
    const answer = await make(one.dotted(upstream, 'fake-json'))
      .withStructuredOutput(schema, { method: 'jsonSchema' })
      .invoke(messages);
    assert.deepEqual(answer, { name: 'a name', age: 1.5 });
  });

  over('a passing fault is overcome', async (one, upstream) => {
    const model = make(one.dotted(upstream, 'fake-text', 'status=429;retry-after=1;times=1', true), {
      maxRetries: 2,
    });
    assert.equal((await model.invoke(messages)).text, `[Be brief.] ${h.ECHO}`);
    assert.equal((await one.records()).length, 2);
  });

  over('a stream that breaks raises', async (one, upstream) => {
    const model = make(one.dotted(upstream, 'fake-text', 'error-event-after=4', true));
    await assert.rejects(async () => h.collect(await model.stream(messages)));
  });

  over('an abort ends the providers work', async (one, upstream) => {
    const abort = new AbortController();
    const stream = await make(one.dotted(upstream, 'fake-slow')).stream(messages, { signal: abort.signal });
    let count = 0;
    await assert.rejects(async () => {
      for await (const { text } of stream) if (text && ++count === 3) abort.abort();
    });
    assert.ok(count >= 3);
    assert.ok((await one.waitGone()) < 5000);
  });

  over('a timeout ends the providers work', async (one, upstream) => {
    const model = make(one.dotted(upstream, 'fake-slow'), hasty);
    await assert.rejects(model.invoke(messages), (error) =>
      [error.name, error.constructor.name].includes(timeoutError),
    );
    assert.ok((await one.waitGone()) < 2500);
  });

  h.checkWeir(`${sdk}: an unknown model is not found, and the nearest is named`, async () => {
    const model = make('oai-plane-model', { maxRetries: 2 });
    const whole = () => model.invoke(messages);
    const streamed = async () => h.collect(await model.stream(messages));
    for (const ask of [whole, streamed]) {
      await assert.rejects(ask, (error) => {
        assert.equal(error.constructor.name, 'NotFoundError');
        assert.match(error.message, /oai-plain-model/);
        return error.status === 404 && error.lc_error_code === 'MODEL_NOT_FOUND';
      });
    }
  });
}

h.check('@langchain/openai: embeddings are numbers', async (one) => {
  const model = new OpenAIEmbeddings({
    model: one.dotted('oai', 'fake-embed'),
    apiKey: h.CLIENT_KEY,
    maxRetries: 0,
    configuration: { baseURL: h.OPENAI_URL },
  });
  const vectors = await model.embedDocuments(['one', 'two']);
  assert.ok(vectors.length === 2 && vectors.every((vector) => vector.length === 8));
});
