// OpenAI's agents, over every upstream dialect, on both of their interfaces.

import assert from 'node:assert/strict';

import { Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, tool } from '@openai/agents';
import OpenAI from 'openai';
import { z } from 'zod';

import * as h from './harness.mjs';

const SUNNY = `Results: ${h.CITIES.map((city) => `sunny in ${city}`).join('; ')}`;
const client = new OpenAI({ baseURL: h.OPENAI_URL, apiKey: h.CLIENT_KEY, maxRetries: 0 });
const runner = new Runner({ tracingDisabled: true });
const AGENTS = {
  chat: ['oai', (name) => new OpenAIChatCompletionsModel(client, name)],
  responses: ['rsp', (name) => new OpenAIResponsesModel(client, name)],
};

for (const [kind, [dialect, use]] of Object.entries(AGENTS)) {
  const over = (name, body) => h.overUpstreams(dialect, `@openai/agents ${kind}: ${name}`, body);
  const get_weather = tool({
    name: 'get_weather',
    description: 'The weather.',
    parameters: z.object({ city: z.string() }),
    execute: ({ city }) => `sunny in ${city}`,
  });
  const agent = (one, upstream, name, more = {}) =>
    new Agent({ name: 'a', instructions: 'Be brief.', model: use(one.dotted(upstream, name)), ...more });

  over('an agent answers', async (one, upstream) => {
    const result = await runner.run(agent(one, upstream, 'fake-text'), 'Hello');
    assert.equal(result.finalOutput, '[Be brief.] Echo: Hello');
  });

  over('an agent runs its tools, whole and streamed', async (one, upstream) => {
    const made = agent(one, upstream, 'fake-parallel-tools', { tools: [get_weather] });
    assert.equal((await runner.run(made, 'Hello')).finalOutput, SUNNY);
    const streamed = await runner.run(made, 'Hello', { stream: true });
    await h.collect(streamed);
    assert.equal(streamed.finalOutput, SUNNY);
  });

  over('an agent thinks through five turns', async (one, upstream) => {
    const modelSettings = {
      reasoning: { effort: 'low' },
      store: false,
      providerData: kind === 'responses' ? { include: ['reasoning.encrypted_content'] } : {},
    };
    const made = agent(one, upstream, 'fake-agent', { tools: [get_weather], modelSettings });
    const result = await runner.run(made, 'Hello');
    assert.equal(result.finalOutput.split('sunny').length - 1, 5);
    assert.equal((await one.records()).length, 5);
  });
}
