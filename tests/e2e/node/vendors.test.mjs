// SPDX-License-Identifier: MIT
// The SDKs of Anthropic, Google and Ollama and the Vercel AI SDK, unmodified, each over three vendors.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { Output, generateText, stepCountIs, streamText, tool } from "ai";
import { Ollama } from "ollama";
import { z } from "zod";

import { env } from "./setup.mjs";

const URL = env("VENDORS_URL");
const MODELS = ["m-openai", "m-anthropic", "m-gemini"];
const WEATHER = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

const anthropic = new Anthropic({ baseURL: URL, apiKey: "k", maxRetries: 0 });
const google = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: URL } });
const ollama = new Ollama({ host: URL });

function says(content) {
    return [{ role: "user", content }];
}

for (const model of MODELS) {
    test(`@anthropic-ai/sdk over ${model}: plain, streamed, tools, errors`, async () => {
        const request = { model, max_tokens: 500, messages: says("[[text:abc]]") };
        const plain = await anthropic.messages.create(request);
        assert.equal(plain.content[0].text, "abc");
        assert.equal(plain.stop_reason, "end_turn");
        const streamed = await anthropic.messages.stream(request).finalMessage();
        assert.equal(streamed.content[0].text, "abc");
        const tools = [{ name: "a", input_schema: WEATHER }, { name: "b", input_schema: WEATHER }];
        const called = await anthropic.messages.stream({ ...request, messages: says("[[tools:2]]"), tools }).finalMessage();
        const calls = called.content.filter((block) => block.type === "tool_use");
        assert.deepEqual(calls.map((call) => call.name), ["a", "b"]);
        assert.equal(typeof calls[0].input.city, "string");
        const results = calls.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: "fine" }));
        const messages = [...says("[[tools:2]]"), { role: "assistant", content: called.content }, { role: "user", content: results }];
        assert.equal((await anthropic.messages.create({ ...request, messages, tools })).stop_reason, "end_turn");
        await assert.rejects(anthropic.messages.create({ ...request, messages: says("[[status:429]]") }), Anthropic.RateLimitError);
    });

    test(`@google/genai over ${model}: plain, streamed, functions, errors`, async () => {
        const plain = await google.models.generateContent({ model, contents: "[[text:abc]]" });
        assert.equal(plain.text, "abc");
        let text = "";
        for await (const chunk of await google.models.generateContentStream({ model, contents: "[[text:abc]]" })) {
            text += chunk.text ?? "";
        }
        assert.equal(text, "abc");
        const config = { tools: [{ functionDeclarations: [{ name: "a", description: "A", parametersJsonSchema: WEATHER }] }] };
        const called = await google.models.generateContent({ model, contents: "[[tools:1]]", config });
        assert.equal(called.functionCalls[0].name, "a");
        assert.equal(typeof called.functionCalls[0].args.city, "string");
        await assert.rejects(google.models.generateContent({ model, contents: "[[status:429]]" }), { status: 429 });
    });

    test(`ollama over ${model}: chat, generate, tools`, async () => {
        assert.equal((await ollama.chat({ model, messages: says("[[text:abc]]") })).message.content, "abc");
        let text = "";
        for await (const part of await ollama.generate({ model, prompt: "[[text:abc]]", stream: true })) {
            text += part.response;
        }
        assert.equal(text, "abc");
        const tools = [{ type: "function", function: { name: "a", description: "A", parameters: WEATHER } }];
        const called = await ollama.chat({ model, messages: says("[[tools:1]]"), tools });
        assert.equal(called.message.tool_calls[0].function.name, "a");
    });

    const kinds = {
        "@ai-sdk/openai": createOpenAI({ baseURL: `${URL}/v1`, apiKey: "k" }),
        "@ai-sdk/openai chat": createOpenAI({ baseURL: `${URL}/v1`, apiKey: "k" }).chat,
        "@ai-sdk/anthropic": createAnthropic({ baseURL: `${URL}/v1`, apiKey: "k" }),
        "@ai-sdk/google": createGoogleGenerativeAI({ baseURL: `${URL}/v1beta`, apiKey: "k" }),
    };
    for (const [name, provider] of Object.entries(kinds)) {
        test(`${name} over ${model}: text, stream, tools, object`, async () => {
            const settings = { model: provider(model), maxRetries: 0, maxOutputTokens: 500 };
            assert.equal((await generateText({ ...settings, prompt: "[[text:abc]]" })).text, "abc");
            const streamed = streamText({ ...settings, prompt: "[[text:abc]]" });
            let text = "";
            for await (const part of streamed.textStream) {
                text += part;
            }
            assert.equal(text, "abc");
            assert.equal(await streamed.finishReason, "stop");
            const asked = [];
            const weather = tool({
                description: "Weather",
                inputSchema: z.object({ city: z.string() }),
                execute: async ({ city }) => {
                    asked.push(city);
                    return "sunny";
                },
            });
            const run = await generateText({ ...settings, prompt: "[[tools:1]]", tools: { weather }, stopWhen: stepCountIs(3) });
            assert.equal(asked.length, 1);
            assert.equal(run.steps.length, 2);
            assert.ok(run.text.length > 0);
            const output = Output.object({ schema: z.object({ name: z.string(), day: z.number().int() }) });
            const made = await generateText({ ...settings, prompt: "An event", output });
            assert.equal(typeof made.output.name, "string");
        });
    }
}

test("lists of models", async () => {
    const names = [];
    for await (const model of anthropic.models.list()) {
        names.push(model.id);
    }
    const pages = [];
    for await (const model of await google.models.list()) {
        pages.push(model.name);
    }
    const tags = (await ollama.list()).models.map((model) => model.name);
    for (const model of MODELS) {
        assert.ok(names.includes(model) && pages.includes(`models/${model}`) && tags.includes(model));
    }
});

test("vectors", async () => {
    for (const model of ["v-openai", "v-gemini"]) {
        assert.equal((await ollama.embed({ model, input: ["a", "b"] })).embeddings.length, 2);
    }
});
