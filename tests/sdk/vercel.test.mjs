// The Vercel AI SDK with its OpenAI, OpenAI-compatible and Anthropic providers, over both kinds of provider.

import assert from 'node:assert/strict';

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embedMany, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

import * as h from './harness.mjs';

h.useLanes(200, 260);
const openai = createOpenAI({ baseURL: h.OPENAI_URL, apiKey: h.CLIENT_KEY });
const compatible = createOpenAICompatible({
  name: 'weir',
  baseURL: h.OPENAI_URL,
  apiKey: h.CLIENT_KEY,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const anthropic = createAnthropic({ baseURL: `${h.ANTHROPIC_URL}/v1`, apiKey: h.ANTHROPIC_KEY });
const SDKS = {
  '@ai-sdk/openai': ['oai', (name) => openai.chat(name)],
  '@ai-sdk/openai-compatible': ['oai', (name) => compatible(name)],
  '@ai-sdk/anthropic': ['ant', (name) => anthropic(name)],
};
const prompt = 'Hello there, friend';
const weather = tool({
  description: 'The weather.',
  inputSchema: jsonSchema(h.CITY_SCHEMA),
  execute: ({ city }) => `sunny in ${city}`,
});

for (const [sdk, [dialect, use]] of Object.entries(SDKS)) {
  const over = (name, body) => h.overProviders(dialect, `${sdk}: ${name}`, body);
  const settings = (one, upstream, name, fault) => ({
    model: use(one.model(upstream, name, fault)),
    prompt,
    maxRetries: 0,
    maxOutputTokens: 4096,
  });

  over('an answer comes whole and streamed alike', async (one, upstream) => {
    const whole = await generateText(settings(one, upstream, 'fake-text'));
    const streamed = streamText(settings(one, upstream, 'fake-text'));
    assert.equal(whole.text, h.ECHO);
    assert.equal(await streamed.text, h.ECHO);
    assert.equal(await streamed.finishReason, 'stop');
    for (const usage of [whole.usage, await streamed.usage]) {
      assert.deepEqual([usage.inputTokens, usage.outputTokens], [3, 4]);
    }
  });

  over('a loop of parallel tools comes to an answer, whole and streamed', async (one, upstream) => {
    const loop = {
      ...settings(one, upstream, 'fake-parallel-tools'),
      tools: { get_weather: weather },
      stopWhen: stepCountIs(3),
    };
    const wanted = `Results: ${h.CITIES.map((city) => `sunny in ${city}`).join('; ')}`;
    const whole = await generateText(loop);
    assert.equal(whole.text, wanted);
    assert.deepEqual(
      whole.steps[0].toolCalls.map((call) => call.input.city),
      h.CITIES,
    );
    assert.equal(whole.steps[0].finishReason, 'tool-calls');
    const streamed = streamText(loop);
    await streamed.consumeStream();
    assert.equal(await streamed.text, wanted);
  });

  over('an object has its schema', async (one, upstream) => {
    const schema = z.object({ name: z.string(), age: z.number() });
    const answer = await generateText({
      ...settings(one, upstream, 'fake-json'),
      output: Output.object({ schema }),
    });
    assert.deepEqual(answer.output, { name: 'a name', age: 1.5 });
  });

  over('a picture is seen', async (one, upstream) => {
    const { data, facts } = h.picture(8, 6);
    const { prompt: _, ...rest } = settings(one, upstream, 'fake-vision');
    const answer = await generateText({
      ...rest,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What?' },
            { type: 'file', mediaType: 'image/png', data: Buffer.from(data, 'base64') },
          ],
        },
      ],
    });
    assert.equal(answer.text, facts);
  });

  over('a passing outage is overcome', async (one, upstream) => {
    const answer = await generateText({
      ...settings(one, upstream, 'fake-text', 'status=503;times=1'),
      maxRetries: 2,
    });
    assert.equal(answer.text, h.ECHO);
    assert.equal((await one.records()).length, 2);
  });

  over('a rate limit is told as one that may be retried', async (one, upstream) => {
    await assert.rejects(
      generateText(settings(one, upstream, 'fake-text', 'status=429;retry-after=1')),
      (error) => {
        assert.equal(error.statusCode, 429);
        return error.isRetryable;
      },
    );
  });

  over('a stream that breaks becomes an error part', async (one, upstream) => {
    const streamed = streamText({
      ...settings(one, upstream, 'fake-text', 'error-event-after=4'),
      onError() {},
    });
    const parts = await h.collect(streamed.fullStream).catch((error) => [{ type: 'error', error }]);
    assert.ok(
      parts.some((part) => part.type === 'error'),
      JSON.stringify(parts),
    );
  });

  over('an abort ends the providers work', async (one, upstream) => {
    const abort = new AbortController();
    const streamed = streamText({
      ...settings(one, upstream, 'fake-slow'),
      abortSignal: abort.signal,
      onError() {},
    });
    let count = 0;
    await (async () => {
      for await (const _ of streamed.textStream) {
        if (++count === 3) abort.abort();
      }
    })().catch(() => {});
    assert.ok(count >= 3);
    assert.ok((await one.waitGone()) < 5000);
  });
}

for (const [name, model] of [
  ['@ai-sdk/openai', (id) => openai.embeddingModel(id)],
  ['@ai-sdk/openai-compatible', (id) => compatible.embeddingModel(id)],
]) {
  h.check(`${name}: embeddings are numbers`, async (one) => {
    const { embeddings } = await embedMany({
      model: model(one.model('oai', 'fake-embed')),
      values: ['one', 'two'],
    });
    assert.ok(embeddings.length === 2 && embeddings.every((vector) => vector.length === 8));
  });
}
