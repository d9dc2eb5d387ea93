// The official OpenAI SDK for JavaScript, the current major and older ones, over both kinds of provider.

import assert from 'node:assert/strict';

import OpenAI7 from 'openai';
import OpenAI6 from 'openai-6';

import * as h from './harness.mjs';

h.useLanes(0, 120);
const SDKS = { 'openai 7': OpenAI7, 'openai 6': OpenAI6 };
const TOOL = { type: 'function', function: { name: 'get_weather', parameters: h.CITY_SCHEMA, strict: true } };

/** A stream as a whole: text, reasoning, finish reason, calls, usage. */
async function fold(stream) {
  const whole = { text: '', reasoning: '', finish: null, calls: [], usage: null };
  for await (const chunk of stream) {
    whole.usage = chunk.usage ?? whole.usage;
    for (const { delta, finish_reason } of chunk.choices) {
      whole.text += delta.content ?? '';
      whole.reasoning += delta.reasoning_content ?? '';
      whole.finish = finish_reason ?? whole.finish;
      for (const call of delta.tool_calls ?? []) {
        const known = (whole.calls[call.index] ??= { name: '', arguments: '' });
        known.name += call.function.name ?? '';
        known.arguments += call.function.arguments ?? '';
      }
    }
  }
  return whole;
}

for (const [sdk, OpenAI] of Object.entries(SDKS)) {
  const make = (more = {}) =>
    new OpenAI({
      baseURL: h.OPENAI_URL,
      apiKey: h.CLIENT_KEY,
      maxRetries: 0,
      timeout: 30_000,
      ...more,
    });
  const client = make();
  const over = (name, body) => h.overProviders('oai', `${sdk}: ${name}`, body);
  const ask = (one, upstream, fault, more = {}, options = {}) =>
    client.chat.completions.create(
      { model: one.model(upstream, 'fake-text', fault), messages: h.HELLO, ...more },
      options,
    );

  over('an answer comes whole and streamed alike', async (one, upstream) => {
    const whole = await ask(one, upstream, '');
    assert.equal(whole.choices[0].message.content, h.ECHO);
    assert.equal(whole.choices[0].finish_reason, 'stop');
    const folded = await fold(
      await ask(one, upstream, '', { stream: true, stream_options: { include_usage: true } }),
    );
    assert.deepEqual([folded.text, folded.finish], [h.ECHO, 'stop']);
    assert.deepEqual(folded.usage, whole.usage);
    assert.deepEqual([whole.usage.prompt_tokens, whole.usage.completion_tokens], [3, 4]);
  });

  over('parallel calls keep their arguments apart, whole and streamed', async (one, upstream) => {
    const request = {
      model: one.model(upstream, 'fake-interleaved-tools'),
      messages: h.HELLO,
      tools: [TOOL],
    };
    const whole = await client.chat.completions.create(request);
    const folded = await fold(await client.chat.completions.create({ ...request, stream: true }));
    for (const calls of [whole.choices[0].message.tool_calls.map((call) => call.function), folded.calls]) {
      assert.deepEqual(
        calls.map((call) => JSON.parse(call.arguments).city),
        h.CITIES,
      );
    }
    assert.equal(folded.finish, 'tool_calls');
  });

  over('runTools runs a loop to its answer', async (one, upstream) => {
    const runner = (client.chat.completions.runTools ?? client.beta.chat.completions.runTools).call(
      client.chat.completions.runTools ? client.chat.completions : client.beta.chat.completions,
      {
        model: one.model(upstream, 'fake-parallel-tools'),
        messages: h.HELLO,
        tools: [
          {
            type: 'function',
            function: {
              name: 'get_weather',
              parameters: h.CITY_SCHEMA,
              parse: JSON.parse,
              description: 'The weather.',
              function: ({ city }) => `sunny in ${city}`,
            },
          },
        ],
      },
    );
    assert.equal(
      await runner.finalContent(),
      `Results: ${h.CITIES.map((city) => `sunny in ${city}`).join('; ')}`,
    );
  });

  over('a picture is seen', async (one, upstream) => {
    const { data, facts } = h.picture(8, 6);
    const answer = await client.chat.completions.create({
      model: one.model(upstream, 'fake-vision'),
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          ],
        },
      ],
    });
    assert.equal(answer.choices[0].message.content, `${facts}; url https://example.com/a.png`);
  });

  over('a schema is obeyed', async (one, upstream) => {
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' }, age: { type: 'integer' } },
      required: ['name', 'age'],
      additionalProperties: false,
    };
    const completions = client.chat.completions.parse
      ? client.chat.completions
      : client.beta.chat.completions;
    const answer = await completions.parse({
      model: one.model(upstream, 'fake-json'),
      messages: h.HELLO,
      response_format: { type: 'json_schema', json_schema: { name: 'person', strict: true, schema } },
    });
    assert.deepEqual(JSON.parse(answer.choices[0].message.content), { name: 'a name', age: 7 });
    assert.equal(answer.choices[0].finish_reason, 'stop');
  });

  for (const fault of ['', 'chunk=1', 'crlf', 'gzip']) {
    over(`characters survive ${fault || 'as they are'}`, async (one, upstream) => {
      const folded = await fold(
        await client.chat.completions.create({
          model: one.model(upstream, 'fake-unicode', fault),
          messages: h.HELLO,
          stream: true,
        }),
      );
      assert.equal(folded.text, h.UNICODE);
    });
  }

  over('thinking comes beside the answer', async (one, upstream) => {
    const request = {
      model: one.model(upstream, 'fake-thinking'),
      messages: h.HELLO,
      reasoning_effort: 'low',
      max_completion_tokens: 8000,
    };
    const whole = await client.chat.completions.create(request);
    const folded = await fold(await client.chat.completions.create({ ...request, stream: true }));
    assert.equal(whole.choices[0].message.reasoning_content, h.THINKING);
    assert.deepEqual([folded.reasoning, folded.text], [h.THINKING, h.ECHO]);
  });

  over('an error of the provider has its class and all four keys', async (one, upstream) => {
    await assert.rejects(ask(one, upstream, 'status=400'), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.deepEqual(
        Object.keys(error.error)
          .filter((key) => key in { message: 1, type: 1, param: 1, code: 1 })
          .sort(),
        ['code', 'message', 'param', 'type'],
      );
      return error.status === 400 && error.type === 'invalid_request_error';
    });
  });

  over('a rate limit is one, and says how long', async (one, upstream) => {
    await assert.rejects(ask(one, upstream, 'status=429;retry-after=12'), (error) => {
      const headers = error.headers.get ? error.headers : new Headers(error.headers);
      assert.ok(error instanceof OpenAI.RateLimitError);
      return Number(headers.get('retry-after')) >= 1;
    });
  });

  for (const fault of ['status=429;retry-after=1', 'status=500', 'status=529', 'cut-before-head']) {
    over(`${fault} is overcome`, async (one, upstream) => {
      const patient = make({ maxRetries: 2 });
      const answer = await patient.chat.completions.create({
        model: one.model(upstream, 'fake-text', `${fault};times=1`),
        messages: h.HELLO,
      });
      assert.equal(answer.choices[0].message.content, h.ECHO);
      assert.equal((await one.records()).length, 2);
    });
  }

  for (const fault of ['cut-after-events=4', 'error-event-after=4']) {
    over(`a stream with ${fault} raises`, async (one, upstream) => {
      let text = '';
      await assert.rejects(
        async () => {
          for await (const chunk of await ask(one, upstream, fault, { stream: true })) {
            text += chunk.choices[0]?.delta.content ?? '';
          }
        },
        (error) => h.direct || error instanceof OpenAI.APIError,
      );
      assert.ok(text.startsWith('Echo:') && text.length < h.ECHO.length, text);
    });
  }

  over('an abort ends the providers work', async (one, upstream) => {
    const stream = await client.chat.completions.create({
      model: one.model(upstream, 'fake-slow'),
      messages: h.HELLO,
      stream: true,
    });
    let count = 0;
    for await (const _ of stream) {
      if (++count === 3) break;
    }
    assert.ok((await one.waitGone()) < 5000);
  });

  over('a timeout ends the providers work', async (one, upstream) => {
    await assert.rejects(
      ask(one, upstream, 'stall-ms=5000', {}, { timeout: 500 }),
      OpenAI.APIConnectionTimeoutError,
    );
    assert.ok((await one.waitGone()) < 2500);
  });

  over('a legacy completion is served', async (one, upstream) => {
    const answer = await client.completions.create({
      model: one.model(upstream, 'fake-text'),
      prompt: 'Hello there',
      max_tokens: 50,
    });
    assert.equal(answer.choices[0].text, 'Echo: Hello there');
  });

  h.check(`${sdk}: embeddings are numbers`, async (one) => {
    for (const encoding_format of [undefined, 'float']) {
      const answer = await client.embeddings.create({
        model: one.model('oai', 'fake-embed'),
        input: ['one', 'two'],
        encoding_format,
      });
      assert.equal(answer.data.length, 2);
      assert.ok(
        answer.data.every(
          ({ embedding }) => embedding.length === 8 && embedding.every((x) => Math.abs(x) <= 1),
        ),
      );
    }
  });

  h.check(`${sdk}: models are listed`, async () => {
    const models = await h.collect(client.models.list());
    assert.ok(models.length > 0 && models.every((model) => model.id && model.object === 'model'));
  });

  h.check(`${sdk}: an unknown model is not found`, async () => {
    await assert.rejects(
      client.chat.completions.create({ model: 'no-such-model', messages: h.HELLO }),
      OpenAI.NotFoundError,
    );
  });

  over('32 streams at once do not mix', async (one, upstream) => {
    const texts = await Promise.all(
      Array.from(
        { length: 32 },
        async (_, number) =>
          (
            await fold(
              await client.chat.completions.create({
                model: one.model(upstream, 'fake-text'),
                stream: true,
                messages: [{ role: 'user', content: `number ${number}` }],
              }),
            )
          ).text,
      ),
    );
    assert.deepEqual(
      texts,
      texts.map((_, number) => `Echo: number ${number}`),
    );
  });
}
