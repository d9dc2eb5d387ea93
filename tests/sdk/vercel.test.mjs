// The Vercel AI SDK with the providers of four vendors and that for whoever speaks OpenAI's dialect, over every
// upstream dialect.

import assert from 'node:assert/strict';

import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embedMany, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

import * as h from './harness.mjs';

h.useMatrixLanes(80, 100);
const openai = createOpenAI({ baseURL: h.OPENAI_URL, apiKey: h.CLIENT_KEY });
const compatible = createOpenAICompatible({
  name: 'weir',
  baseURL: h.OPENAI_URL,
  apiKey: h.CLIENT_KEY,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const anthropic = createAnthropic({ baseURL: `${h.ANTHROPIC_URL}/v1`, apiKey: h.ANTHROPIC_KEY });
const google = createGoogle({ baseURL: `${h.GEMINI_URL}/v1beta`, apiKey: h.GEMINI_KEY });
const bedrock = createAmazonBedrock({ baseURL: h.BEDROCK_URL, region: 'us-east-1', ...h.AWS });
const budget = { type: 'enabled', budgetTokens: 1024 };
// dialect, how a model is made, what asks it to think
const SDKS = {
  '@ai-sdk/openai chat': [
    'oai',
    (name) => openai.chat(name),
    { openai: { reasoningEffort: 'low', forceReasoning: true } },
  ],
  '@ai-sdk/openai responses': [
    'rsp',
    (name) => openai.responses(name),
    { openai: { reasoningEffort: 'low', reasoningSummary: 'auto', store: false, forceReasoning: true } },
  ],
  '@ai-sdk/openai-compatible': ['oai', (name) => compatible(name), { weir: { reasoningEffort: 'low' } }],
  '@ai-sdk/anthropic': ['ant', (name) => anthropic(name), { anthropic: { thinking: budget } }],
  '@ai-sdk/google': [
    'gem',
    (name) => google(name),
    { google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } } },
  ],
  '@ai-sdk/amazon-bedrock': ['cnv', (name) => bedrock(name), { bedrock: { reasoningConfig: budget } }],
};
const prompt = 'Hello there, friend';
const weather = tool({
  description: 'The weather.',
  inputSchema: jsonSchema(h.CITY_SCHEMA),
  execute: ({ city }) => `sunny in ${city}`,
});
// Google's provider wraps a result into an object with its tool's name.
const RESULTS = new RegExp(`^Results: .*${h.CITIES.map((city) => `sunny in ${city}`).join('.*; .*')}`);

for (const [sdk, [dialect, use, thinks]] of Object.entries(SDKS)) {
  const over = (name, body) => h.overUpstreams(dialect, `${sdk}: ${name}`, body);
  // Its Bedrock provider asks only models with Anthropic in their name to think.
  const prefix = sdk === '@ai-sdk/amazon-bedrock' ? 'anthropic.' : '';
  const settings = (one, upstream, name, fault = '', fails = false) => ({
    model: use(one.dotted(upstream, prefix + name, fault, fails)),
    prompt,
    maxRetries: 0,
    maxOutputTokens: 8000,
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
    const whole = await generateText(loop);
    assert.match(whole.text, RESULTS);
    assert.deepEqual(
      whole.steps[0].toolCalls.map((call) => call.input.city),
      h.CITIES,
    );
    assert.equal(whole.steps[0].finishReason, 'tool-calls');
    assert.match(await streamText(loop).text, RESULTS);
  });

  over('five steps with thinking and tools come to their end', async (one, upstream) => {
    const loop = {
      ...settings(one, upstream, 'fake-agent'),
      tools: { get_weather: weather },
      stopWhen: stepCountIs(8),
      providerOptions: thinks,
    };
    const whole = await generateText(loop);
    assert.equal(whole.text.split('sunny').length - 1, 5);
    assert.equal(whole.steps.length, 5);
    assert.equal((await streamText(loop).text).split('sunny').length - 1, 5);
  });

  over('an object has its schema', async (one, upstream) => {
    const schema = z.object({ name: z.string(), age: z.number() });
    const answer = await generateText({
      ...settings(one, upstream, 'fake-json'),
      output: Output.object({ schema }),
    });
    assert.equal(typeof answer.output.age, 'number');
    assert.equal(typeof answer.output.name, 'string');
  });

  over('a picture is seen', async (one, upstream) => {
    const { data, facts } = h.picture(8, 6);
    const { prompt: _, ...rest } = settings(one, upstream, 'fake-vision');
    const content = [
      { type: 'text', text: 'What?' },
      { type: 'file', mediaType: 'image/png', data: Buffer.from(data, 'base64') },
    ];
    assert.equal((await generateText({ ...rest, messages: [{ role: 'user', content }] })).text, facts);
  });

  over('a passing outage is overcome', async (one, upstream) => {
    const fault = settings(one, upstream, 'fake-text', 'status=503;times=1', true);
    const answer = await generateText({ ...fault, maxRetries: 2 });
    assert.equal(answer.text, h.ECHO);
    assert.equal((await one.records()).length, 2);
  });

  over('a rate limit is told as one that may be retried', async (one, upstream) => {
    const fault = settings(one, upstream, 'fake-text', 'status=429;retry-after=1', true);
    await assert.rejects(generateText(fault), (error) => {
      assert.equal(error.statusCode, 429);
      return error.isRetryable;
    });
  });

  over('a stream that breaks becomes an error part', async (one, upstream) => {
    const streamed = streamText({
      ...settings(one, upstream, 'fake-text', 'error-event-after=9', true),
      prompt: Array.from({ length: 20 }, (_, at) => `word${at}`).join(' '),
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

  over('a timeout ends the providers work', async (one, upstream) => {
    const slow = { ...settings(one, upstream, 'fake-slow'), timeout: 500 };
    await assert.rejects(generateText(slow), (error) => error.name === 'TimeoutError');
    assert.ok((await one.waitGone()) < 2500);
  });
}

h.checkWeir('@ai-sdk/google: embeddings of other vendors are numbers', async (one) => {
  for (const upstream of ['oai', 'gem']) {
    const { embeddings } = await embedMany({
      model: google.embeddingModel(one.dotted(upstream, 'fake-embed')),
      values: ['one', 'two'],
    });
    assert.ok(embeddings.length === 2 && embeddings.every((vector) => vector.length === 8));
  }
});

for (const [name, model] of [
  ['@ai-sdk/openai', (id) => openai.embeddingModel(id)],
  ['@ai-sdk/openai-compatible', (id) => compatible.embeddingModel(id)],
]) {
  h.check(`${name}: embeddings are numbers`, async (one) => {
    const { embeddings } = await embedMany({
      model: model(one.dotted('oai', 'fake-embed')),
      values: ['one', 'two'],
    });
    assert.ok(embeddings.length === 2 && embeddings.every((vector) => vector.length === 8));
  });
}
