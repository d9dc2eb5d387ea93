// The official Anthropic SDK for JavaScript, the current major and the last one, over both kinds of provider.

import assert from 'node:assert/strict';

import Anthropic1 from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';

import * as h from './harness.mjs';

h.useLanes(120, 200);
const SDKS = { 'anthropic 1': Anthropic1, 'anthropic 0': Anthropic0 };
const TOOL = { name: 'get_weather', description: 'The weather.', input_schema: h.CITY_SCHEMA };

/** A message's content without ids and signatures. */
const plain = (message) => message.content.map((block) => block.input ?? block[block.type]);

for (const [sdk, Anthropic] of Object.entries(SDKS)) {
  const make = (more = {}) =>
    new Anthropic({
      baseURL: h.ANTHROPIC_URL,
      apiKey: h.ANTHROPIC_KEY,
      maxRetries: 0,
      timeout: 30_000,
      ...more,
    });
  const client = make();
  const over = (name, body) => h.overProviders('ant', `${sdk}: ${name}`, body);
  const ask = (one, upstream, fault, more = {}, options = {}) =>
    client.messages.create(
      { model: one.model(upstream, 'fake-text', fault), messages: h.HELLO, max_tokens: 100, ...more },
      options,
    );

  /** The whole message, after it was found equal to the one that the stream helper makes. */
  async function bothWays(request) {
    const whole = await client.messages.create(request);
    const folded = await client.messages.stream(request).finalMessage();
    assert.deepEqual(plain(folded), plain(whole));
    assert.equal(folded.stop_reason, whole.stop_reason);
    assert.deepEqual(
      [folded.usage.input_tokens, folded.usage.output_tokens],
      [whole.usage.input_tokens, whole.usage.output_tokens],
    );
    return whole;
  }

  over('an answer comes whole and streamed alike', async (one, upstream) => {
    const whole = await bothWays({
      model: one.model(upstream, 'fake-text'),
      messages: h.HELLO,
      max_tokens: 100,
      system: 'Be brief.',
    });
    assert.deepEqual(plain(whole), [`[Be brief.] ${h.ECHO}`]);
    assert.equal(whole.stop_reason, 'end_turn');
  });

  over('parallel calls keep their inputs apart', async (one, upstream) => {
    const whole = await bothWays({
      model: one.model(upstream, 'fake-interleaved-tools'),
      messages: h.HELLO,
      max_tokens: 100,
      tools: [TOOL],
    });
    assert.deepEqual(
      plain(whole),
      h.CITIES.map((city) => ({ city })),
    );
    assert.equal(whole.stop_reason, 'tool_use');
  });

  over('a tool runner runs a loop to its answer', async (one, upstream) => {
    const final = await client.beta.messages
      .toolRunner({
        model: one.model(upstream, 'fake-parallel-tools'),
        messages: h.HELLO,
        max_tokens: 100,
        tools: [{ ...TOOL, type: 'custom', run: ({ city }) => `sunny in ${city}`, parse: (value) => value }],
      })
      .runUntilDone();
    assert.equal(final.content[0].text, `Results: ${h.CITIES.map((city) => `sunny in ${city}`).join('; ')}`);
  });

  over('a picture is seen', async (one, upstream) => {
    const { data, facts } = h.picture(8, 6);
    const answer = await client.messages.create({
      model: one.model(upstream, 'fake-vision'),
      max_tokens: 100,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data } },
            { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
          ],
        },
      ],
    });
    assert.equal(answer.content[0].text, `${facts}; url https://example.com/a.png`);
  });

  over('a schema is obeyed', async (one, upstream) => {
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
      additionalProperties: false,
    };
    const whole = await bothWays({
      model: one.model(upstream, 'fake-json'),
      messages: h.HELLO,
      max_tokens: 100,
      output_config: { format: { type: 'json_schema', schema } },
    });
    assert.deepEqual(JSON.parse(whole.content[0].text), { name: 'a name' });
  });

  over('thinking comes before the answer', async (one, upstream) => {
    const whole = await bothWays({
      model: one.model(upstream, 'fake-thinking'),
      messages: h.HELLO,
      max_tokens: 8000,
      thinking: { type: 'enabled', budget_tokens: 1024 },
    });
    assert.deepEqual(plain(whole), [h.THINKING, h.ECHO]);
  });

  for (const fault of ['', 'chunk=1', 'crlf', 'gzip']) {
    over(`characters survive ${fault || 'as they are'}`, async (one, upstream) => {
      const final = await client.messages
        .stream({
          model: one.model(upstream, 'fake-unicode', fault),
          messages: h.HELLO,
          max_tokens: 1000,
        })
        .finalText();
      assert.equal(final, h.UNICODE);
    });
  }

  over('a refusal is seen', async (one, upstream) => {
    const whole = await bothWays({
      model: one.model(upstream, 'fake-refusal'),
      messages: h.HELLO,
      max_tokens: 100,
    });
    assert.deepEqual([whole.stop_reason, plain(whole)], ['refusal', [h.REFUSAL]]);
  });

  over('cached tokens are counted apart', async (one, upstream) => {
    const { usage } = await bothWays({
      model: one.model(upstream, 'fake-usage-cached'),
      messages: h.HELLO,
      max_tokens: 100,
    });
    assert.deepEqual([usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens], [40, 60, 4]);
  });

  over('an error of the provider has its class and shape', async (one, upstream) => {
    await assert.rejects(ask(one, upstream, 'status=400'), (error) => {
      assert.ok(error instanceof Anthropic.BadRequestError);
      assert.equal(error.error.type, 'error');
      return error.error.error.type === 'invalid_request_error' && Boolean(error.requestID);
    });
  });

  for (const fault of ['status=429;retry-after=1', 'status=500', 'status=529', 'cut-before-head']) {
    over(`${fault} is overcome`, async (one, upstream) => {
      const answer = await make({ maxRetries: 2 }).messages.create({
        model: one.model(upstream, 'fake-text', `${fault};times=1`),
        messages: h.HELLO,
        max_tokens: 100,
      });
      assert.deepEqual(plain(answer), [h.ECHO]);
      assert.equal((await one.records()).length, 2);
    });
  }

  for (const fault of ['cut-after-events=4', 'error-event-after=4']) {
    over(`a stream with ${fault} raises`, async (one, upstream) => {
      let text = '';
      await assert.rejects(
        async () => {
          for await (const event of await ask(one, upstream, fault, { stream: true })) {
            text += event.delta?.text ?? '';
          }
        },
        (error) => h.direct || error instanceof Anthropic.APIError,
      );
      assert.ok(text.startsWith('Echo:') && text.length < h.ECHO.length, text);
    });
  }

  over('an abort ends the providers work', async (one, upstream) => {
    const stream = client.messages.stream({
      model: one.model(upstream, 'fake-slow'),
      messages: h.HELLO,
      max_tokens: 500,
    });
    let count = 0;
    for await (const _ of stream) {
      if (++count === 5) break;
    }
    assert.ok((await one.waitGone()) < 5000);
  });

  over('a timeout ends the providers work', async (one, upstream) => {
    await assert.rejects(
      ask(one, upstream, 'stall-ms=5000', {}, { timeout: 500 }),
      Anthropic.APIConnectionTimeoutError,
    );
    assert.ok((await one.waitGone()) < 2500);
  });

  over('tokens are counted', async (one, upstream) => {
    const count = await client.messages.countTokens({
      model: one.model(upstream, 'fake-text'),
      messages: h.HELLO,
    });
    assert.ok(count.input_tokens > 0);
  });

  h.check(`${sdk}: models are listed`, async () => {
    const models = await h.collect(client.models.list());
    assert.ok(models.length > 0 && models.every((model) => model.id && model.type === 'model'));
  });

  h.check(`${sdk}: an unknown model is not found`, async () => {
    await assert.rejects(
      client.messages.create({ model: 'no-such-model', messages: h.HELLO, max_tokens: 10 }),
      Anthropic.NotFoundError,
    );
  });
}
