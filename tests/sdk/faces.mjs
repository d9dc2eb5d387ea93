// One face for every JavaScript client, so that one test asks the same of all of them.
//
// A chat keeps its history in the SDK's own objects and sends back what it got. `say` and `answer` give
// {text, thinking, calls: [{id, name, input}], stop, tokens: [in, out]}; `texts` streams for those who leave early.

import Anthropic from '@anthropic-ai/sdk';
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk';
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { GoogleGenAI } from '@google/genai';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import OpenAI from 'openai';

import * as h from './harness.mjs';

const NAME = 'get_weather';
const ABOUT = 'The weather in a city.';
const parse = (text) => JSON.parse(text || '{}');

class Chat {
  constructor(model, ask) {
    this.model = model;
    this.ask = { limit: 8000, ...ask };
    this.history = [];
  }

  say(text, image) {
    this.addUser(text, image);
    return this.turn();
  }

  answer(got, results) {
    this.addResults(got.calls, results);
    return this.turn();
  }
}

class OpenAIChat extends Chat {
  static dialect = 'oai';
  static stops = { stop: 'end', length: 'length', tool_calls: 'tool' };
  static fails = (error, status) => error instanceof OpenAI.APIError && error.status === status;
  client = new OpenAI({ baseURL: h.OPENAI_URL, apiKey: h.CLIENT_KEY, maxRetries: 0, timeout: 30_000 });

  addUser(text, image) {
    const url = `data:image/png;base64,${image}`;
    const parts = [{ type: 'text', text }, { type: 'image_url', image_url: { url } }];
    this.history.push({ role: 'user', content: image ? parts : text });
  }

  addResults(calls, results) {
    calls.forEach(({ id }, at) =>
      this.history.push({ role: 'tool', tool_call_id: id, content: results[at] }),
    );
  }

  request() {
    const { system, tools, thinking, schema, limit } = this.ask;
    const request = {
      model: this.model,
      messages: [...(system ? [{ role: 'system', content: system }] : []), ...this.history],
      max_completion_tokens: limit,
    };
    if (tools) {
      const tool = { name: NAME, description: ABOUT, parameters: h.CITY_SCHEMA };
      request.tools = [{ type: 'function', function: tool }];
    }
    if (thinking) request.reasoning_effort = 'low';
    if (schema) {
      request.response_format = { type: 'json_schema', json_schema: { name: 'person', strict: true, schema } };
    }
    return request;
  }

  async turn() {
    let whole, thinking;
    if (this.ask.stream) {
      thinking = '';
      const stream = this.client.chat.completions.stream({
        ...this.request(),
        stream_options: { include_usage: true },
      });
      stream.on('chunk', (chunk) => (thinking += chunk.choices[0]?.delta.reasoning_content ?? ''));
      whole = await stream.finalChatCompletion();
    } else {
      whole = await this.client.chat.completions.create(this.request());
      thinking = whole.choices[0].message.reasoning_content ?? '';
    }
    const { message, finish_reason } = whole.choices[0];
    const calls = message.tool_calls?.map(({ id, type, function: { name, arguments: text } }) => ({
      id,
      type,
      function: { name, arguments: text },
    }));
    this.history.push({ role: 'assistant', content: message.content, ...(calls && { tool_calls: calls }) });
    return {
      text: message.content ?? '',
      thinking,
      calls: (calls ?? []).map(({ id, function: f }) => ({ id, name: f.name, input: parse(f.arguments) })),
      stop: OpenAIChat.stops[finish_reason] ?? finish_reason,
      tokens: [whole.usage.prompt_tokens, whole.usage.completion_tokens],
    };
  }

  async *texts() {
    const stream = await this.client.chat.completions.create({ ...this.request(), stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) yield chunk.choices[0].delta.content;
    }
  }
}

class OpenAIResponses extends OpenAIChat {
  static dialect = 'rsp';

  addUser(text, image) {
    const url = `data:image/png;base64,${image}`;
    const parts = [
      { type: 'input_text', text },
      { type: 'input_image', image_url: url, detail: 'auto' },
    ];
    this.history.push({ role: 'user', content: image ? parts : text });
  }

  addResults(calls, results) {
    calls.forEach(({ id }, at) =>
      this.history.push({ type: 'function_call_output', call_id: id, output: results[at] }),
    );
  }

  request() {
    const { system, tools, thinking, schema, limit } = this.ask;
    const request = { model: this.model, input: this.history, max_output_tokens: limit };
    Object.assign(request, { store: false, include: ['reasoning.encrypted_content'] });
    if (system) request.instructions = system;
    if (tools) {
      const tool = { type: 'function', name: NAME, description: ABOUT };
      request.tools = [{ ...tool, parameters: h.CITY_SCHEMA, strict: true }];
    }
    if (thinking) request.reasoning = { effort: 'low', summary: 'auto' };
    if (schema) request.text = { format: { type: 'json_schema', name: 'person', strict: true, schema } };
    return request;
  }

  async turn() {
    let whole;
    if (this.ask.stream) {
      for await (const event of await this.client.responses.create({ ...this.request(), stream: true })) {
        whole = event.response ?? whole;
      }
    } else {
      whole = await this.client.responses.create(this.request());
    }
    this.history.push(...whole.output);
    const of = (type) => whole.output.filter((item) => item.type === type);
    const calls = of('function_call').map(({ call_id, name, arguments: text }) => ({
      id: call_id,
      name,
      input: parse(text),
    }));
    return {
      text: of('message').flatMap((item) => item.content.map((part) => part.text ?? part.refusal)).join(''),
      thinking: of('reasoning').flatMap((item) => item.summary.map((part) => part.text)).join(''),
      calls,
      stop: whole.status === 'incomplete' ? 'length' : calls.length ? 'tool' : 'end',
      tokens: [whole.usage.input_tokens, whole.usage.output_tokens],
    };
  }

  async *texts() {
    const stream = await this.client.responses.create({ ...this.request(), stream: true });
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta') yield event.delta;
    }
  }
}

class AnthropicMessages extends Chat {
  static dialect = 'ant';
  static stops = { end_turn: 'end', max_tokens: 'length', tool_use: 'tool' };
  static fails = (error, status) => error instanceof Anthropic.APIError && error.status === status;
  client = new Anthropic({ baseURL: h.ANTHROPIC_URL, apiKey: h.ANTHROPIC_KEY, maxRetries: 0 });

  addUser(text, image) {
    const source = { type: 'base64', media_type: 'image/png', data: image };
    const content = [{ type: 'text', text }, ...(image ? [{ type: 'image', source }] : [])];
    this.history.push({ role: 'user', content });
  }

  addResults(calls, results) {
    const content = calls.map(({ id }, at) => ({
      type: 'tool_result',
      tool_use_id: id,
      content: results[at],
    }));
    this.history.push({ role: 'user', content });
  }

  request() {
    const { system, tools, thinking, schema, limit } = this.ask;
    return {
      model: this.model,
      messages: this.history,
      max_tokens: limit,
      ...(system && { system }),
      ...(tools && { tools: [{ name: NAME, description: ABOUT, input_schema: h.CITY_SCHEMA }] }),
      ...(thinking && { thinking: { type: 'enabled', budget_tokens: 1024 } }),
      ...(schema && { output_config: { format: { type: 'json_schema', schema } } }),
    };
  }

  async turn() {
    const whole = await (this.ask.stream
      ? this.client.messages.stream(this.request()).finalMessage()
      : this.client.messages.create(this.request()));
    const content = whole.content.map(({ parsed_output: _, ...block }) => block);
    this.history.push({ role: 'assistant', content });
    const of = (type) => whole.content.filter((block) => block.type === type);
    return {
      text: of('text').map((block) => block.text).join(''),
      thinking: of('thinking').map((block) => block.thinking).join(''),
      calls: of('tool_use').map(({ id, name, input }) => ({ id, name, input })),
      stop: AnthropicMessages.stops[whole.stop_reason] ?? whole.stop_reason,
      tokens: [whole.usage.input_tokens, whole.usage.output_tokens],
    };
  }

  async *texts() {
    const stream = this.client.messages.stream(this.request());
    try {
      for await (const event of stream) {
        if (event.delta?.type === 'text_delta') yield event.delta.text;
      }
    } finally {
      stream.abort();
    }
  }
}

class BedrockSdk extends AnthropicMessages {
  static dialect = 'inv';
  client = new AnthropicBedrock({
    baseURL: h.BEDROCK_URL,
    awsRegion: 'us-east-1',
    awsAccessKey: h.AWS.accessKeyId,
    awsSecretKey: h.AWS.secretAccessKey,
    maxRetries: 0,
  });
}

class Google extends Chat {
  static dialect = 'gem';
  static stops = { STOP: 'end', MAX_TOKENS: 'length' };
  static fails = (error, status) => error.name === 'ApiError' && error.status === status;
  client = new GoogleGenAI({ apiKey: h.GEMINI_KEY, httpOptions: { baseUrl: h.GEMINI_URL } });

  addUser(text, image) {
    const inlineData = { mimeType: 'image/png', data: image };
    this.history.push({ role: 'user', parts: [{ text }, ...(image ? [{ inlineData }] : [])] });
  }

  addResults(calls, results) {
    const parts = calls.map(({ id, name }, at) => ({
      functionResponse: { ...(id && { id }), name, response: { output: results[at] } },
    }));
    this.history.push({ role: 'user', parts });
  }

  request() {
    const { system, tools, thinking, schema, limit } = this.ask;
    const declared = { name: NAME, description: ABOUT, parametersJsonSchema: h.CITY_SCHEMA };
    return {
      model: this.model,
      contents: this.history,
      config: {
        maxOutputTokens: limit,
        ...(system && { systemInstruction: system }),
        ...(tools && { tools: [{ functionDeclarations: [declared] }] }),
        ...(thinking && { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } }),
        ...(schema && { responseMimeType: 'application/json', responseJsonSchema: schema }),
      },
    };
  }

  async turn() {
    const chunks = this.ask.stream
      ? await h.collect(await this.client.models.generateContentStream(this.request()))
      : [await this.client.models.generateContent(this.request())];
    const candidates = chunks.flatMap((chunk) => chunk.candidates ?? []);
    const parts = candidates.flatMap((candidate) => candidate.content?.parts ?? []);
    this.history.push({ role: 'model', parts });
    const calls = parts.filter((part) => part.functionCall).map(({ functionCall: call }) => call);
    const texts = (thought) => parts.filter((part) => part.text && Boolean(part.thought) === thought);
    const usage = chunks.at(-1).usageMetadata;
    const finish = candidates.map((candidate) => candidate.finishReason).findLast(Boolean);
    return {
      text: texts(false).map((part) => part.text).join(''),
      thinking: texts(true).map((part) => part.text).join(''),
      calls: calls.map(({ id, name, args }) => ({ id, name, input: args ?? {} })),
      stop: calls.length ? 'tool' : (Google.stops[finish] ?? finish),
      tokens: [usage.promptTokenCount, (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0)],
    };
  }

  async *texts() {
    const abort = new AbortController();
    const request = this.request();
    request.config.abortSignal = abort.signal;
    try {
      for await (const chunk of await this.client.models.generateContentStream(request)) {
        if (chunk.text) yield chunk.text;
      }
    } finally {
      abort.abort();
    }
  }
}

// Over HTTP/2 as the SDK does it by itself; the fake provider speaks HTTP/1.1 only.
const aws = new BedrockRuntimeClient({
  region: 'us-east-1',
  endpoint: h.BEDROCK_URL,
  credentials: h.AWS,
  maxAttempts: 1,
  ...(h.direct && { requestHandler: new NodeHttpHandler() }),
});

class AwsConverse extends Chat {
  static dialect = 'cnv';
  static stops = { end_turn: 'end', max_tokens: 'length', tool_use: 'tool' };
  static fails = (error, status) => error.$metadata?.httpStatusCode === status && error.name.endsWith('Exception');

  addUser(text, image) {
    const picture = { image: { format: 'png', source: { bytes: Buffer.from(image ?? '', 'base64') } } };
    this.history.push({ role: 'user', content: [{ text }, ...(image ? [picture] : [])] });
  }

  addResults(calls, results) {
    const content = calls.map(({ id }, at) => ({
      toolResult: { toolUseId: id, content: [{ text: results[at] }] },
    }));
    this.history.push({ role: 'user', content });
  }

  request() {
    const { system, tools, thinking, schema, limit } = this.ask;
    const spec = { name: NAME, description: ABOUT, inputSchema: { json: h.CITY_SCHEMA } };
    const structure = { jsonSchema: { name: 'person', schema: JSON.stringify(schema) } };
    return {
      modelId: this.model,
      messages: this.history,
      inferenceConfig: { maxTokens: limit },
      ...(system && { system: [{ text: system }] }),
      ...(tools && { toolConfig: { tools: [{ toolSpec: spec }] } }),
      ...(thinking && {
        additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 1024 } },
      }),
      ...(schema && { outputConfig: { textFormat: { type: 'json_schema', structure } } }),
    };
  }

  async fold() {
    const blocks = [];
    const answer = {};
    for await (const event of (await aws.send(new ConverseStreamCommand(this.request()))).stream) {
      const [[kind, value]] = Object.entries(event);
      const at = value.contentBlockIndex;
      if (kind === 'contentBlockStart') blocks[at] = { toolUse: { ...value.start.toolUse, input: '' } };
      if (kind === 'contentBlockDelta') addDelta((blocks[at] ??= {}), value.delta);
      if (kind === 'messageStop' || kind === 'metadata') Object.assign(answer, value);
    }
    for (const { toolUse } of blocks) if (toolUse) toolUse.input = parse(toolUse.input);
    return { ...answer, output: { message: { role: 'assistant', content: blocks } } };
  }

  async turn() {
    const whole = this.ask.stream ? await this.fold() : await aws.send(new ConverseCommand(this.request()));
    const { message } = whole.output;
    this.history.push(message);
    const calls = message.content.filter((block) => block.toolUse).map((block) => block.toolUse);
    return {
      text: message.content.map((block) => block.text ?? '').join(''),
      thinking: message.content.map((block) => block.reasoningContent?.reasoningText?.text ?? '').join(''),
      calls: calls.map(({ toolUseId, name, input }) => ({ id: toolUseId, name, input })),
      stop: AwsConverse.stops[whole.stopReason] ?? whole.stopReason,
      tokens: [whole.usage.inputTokens, whole.usage.outputTokens],
    };
  }

  async *texts() {
    const abort = new AbortController();
    const command = new ConverseStreamCommand(this.request());
    try {
      const { stream } = await aws.send(command, { abortSignal: abort.signal });
      for await (const event of stream) {
        if (event.contentBlockDelta) yield event.contentBlockDelta.delta.text;
      }
    } finally {
      abort.abort();
    }
  }
}

function addDelta(block, delta) {
  if (delta.text !== undefined) block.text = (block.text ?? '') + delta.text;
  if (delta.toolUse) block.toolUse.input += delta.toolUse.input;
  if (delta.reasoningContent) {
    const thought = ((block.reasoningContent ??= {}).reasoningText ??= { text: '' });
    for (const [key, value] of Object.entries(delta.reasoningContent)) {
      thought[key] = (thought[key] ?? '') + value;
    }
  }
}

export const FACES = {
  openai: OpenAIChat,
  'openai responses': OpenAIResponses,
  '@anthropic-ai/sdk': AnthropicMessages,
  '@anthropic-ai/bedrock-sdk': BedrockSdk,
  '@google/genai': Google,
  '@aws-sdk/client-bedrock-runtime': AwsConverse,
};
