// SPDX-License-Identifier: MIT
// Chat and responses: plain, streamed, tools, structured output.
import assert from "node:assert/strict";
import { test } from "node:test";

import { HELLO, MODEL, knobs, makeClient, mockJson, mockPage } from "./setup.mjs";

const { zodResponseFormat, zodTextFormat } = await import("openai/helpers/zod");
const { z } = await import("zod");

const client = makeClient();
const WEATHER = {
    type: "function",
    function: {
        name: "get_weather",
        description: "Weather of a city",
        parameters: {
            type: "object",
            properties: { city: { type: "string" }, days: { type: "integer" } },
            required: ["city", "days"],
        },
    },
};
const Event = z.object({ name: z.string(), day: z.number().int() });

async function textOf(stream) {
    let text = "";
    for await (const chunk of stream) {
        text += chunk.choices[0]?.delta?.content ?? "";
    }
    return text;
}

test("chat, plain", async () => {
    const answer = await client.chat.completions.create({ model: MODEL, messages: HELLO });
    assert.equal(answer.object, "chat.completion");
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.ok(answer.choices[0].message.content.length > 0);
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test("the request id of the gateway is the SDK's _request_id", async () => {
    const answer = await client.chat.completions.create(
        { model: MODEL, messages: HELLO },
        { headers: { "x-request-id": "node-1" } },
    );
    assert.equal(answer._request_id, "node-1");
    const made = await client.chat.completions.create({ model: MODEL, messages: HELLO });
    assert.match(made._request_id, /^req_[0-9a-f]{32}$/);
});

test("chat, streamed", async () => {
    const stream = await client.chat.completions.create({ model: MODEL, messages: HELLO, stream: true });
    const chunks = [];
    for await (const chunk of stream) {
        chunks.push(chunk);
    }
    assert.ok(chunks.length > 2);
    assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
    assert.ok(chunks.every((chunk) => chunk.choices.length > 0), "the usage chunk was not asked for by this client");
});

test("chat, streamed, with usage", async () => {
    const stream = await client.chat.completions.create({
        model: MODEL,
        messages: HELLO,
        stream: true,
        stream_options: { include_usage: true },
    });
    let last;
    for await (const chunk of stream) {
        last = chunk;
    }
    assert.deepEqual(last.choices, []);
    assert.ok(last.usage.total_tokens > 0);
});

test("a stream says the same as a plain answer", async () => {
    const body = { model: MODEL, messages: HELLO };
    const shape = knobs({ size: 3000, chunks: 60 });
    const plain = await client.chat.completions.create(body, shape);
    const stream = await client.chat.completions.create({ ...body, stream: true }, shape);
    assert.equal(await textOf(stream), plain.choices[0].message.content);
});

test("text of many scripts survives in both directions", async () => {
    const said = "Grüße, 世界 \u{1F30D} \u0000 \\u00e9 \"quoted\" \u2028 end";
    const body = { model: MODEL, messages: [{ role: "user", content: said }] };
    const plain = await client.chat.completions.create(body, knobs({ echo: 1 }));
    assert.equal(plain.choices[0].message.content, said);
    const stream = await client.chat.completions.create({ ...body, stream: true }, knobs({ echo: 1, trickle: 50 }));
    assert.equal(await textOf(stream), said);
});

test("tools, plain, and the result sent back", async () => {
    const first = await client.chat.completions.create({
        model: MODEL,
        messages: HELLO,
        tools: [WEATHER],
        tool_choice: "required",
    });
    const [call] = first.choices[0].message.tool_calls;
    assert.equal(first.choices[0].finish_reason, "tool_calls");
    assert.equal(call.function.name, "get_weather");
    assert.deepEqual(Object.keys(JSON.parse(call.function.arguments)).sort(), ["city", "days"]);
    const second = await client.chat.completions.create({
        model: MODEL,
        messages: [...HELLO, first.choices[0].message, { role: "tool", tool_call_id: call.id, content: "sunny" }],
        tools: [WEATHER],
    });
    assert.ok(second.choices[0].message.content);
});

test("tools, streamed through the SDK's own collector", async () => {
    const stream = client.chat.completions.stream(
        { model: MODEL, messages: HELLO, tools: [WEATHER] },
        knobs({ tools: 2 }),
    );
    const message = await stream.finalMessage();
    assert.equal(message.tool_calls.length, 2);
    for (const call of message.tool_calls) {
        assert.equal(call.function.name, "get_weather");
        assert.equal(typeof JSON.parse(call.function.arguments), "object");
    }
});

test("tools, run by the SDK until the model is content", async () => {
    const cities = [];
    const runner = client.chat.completions.runTools(
        {
            model: MODEL,
            messages: HELLO,
            tools: [
                {
                    type: "function",
                    function: {
                        ...WEATHER.function,
                        parse: JSON.parse,
                        function: ({ city }) => {
                            cities.push(city);
                            return `sunny in ${city}`;
                        },
                    },
                },
            ],
        },
        knobs({ tools: 1 }),
    );
    // The mock answers the tool's result with text.
    assert.ok((await runner.finalContent()).length > 0);
    assert.equal(cities.length, 1);
});

test("structured output with zod", async () => {
    const answer = await client.chat.completions.parse({
        model: MODEL,
        messages: HELLO,
        response_format: zodResponseFormat(Event, "event"),
    });
    assert.doesNotThrow(() => Event.parse(answer.choices[0].message.parsed));
});

test("structured output, streamed", async () => {
    const stream = client.chat.completions.stream({
        model: MODEL,
        messages: HELLO,
        response_format: zodResponseFormat(Event, "event"),
    });
    const answer = await stream.finalChatCompletion();
    assert.doesNotThrow(() => Event.parse(answer.choices[0].message.parsed));
});

test("the body arrives byte for byte as the SDK wrote it", async () => {
    await mockPage("reset", "POST");
    const body = { temperature: 0.10, messages: HELLO, made_up: { deep: [1, 2.50, null] }, model: MODEL };
    await client.chat.completions.create(body);
    assert.equal(String(await mockPage("last/body")), JSON.stringify(body));
});

test("client credentials stay at the gateway", async () => {
    await client.chat.completions.create(
        { model: MODEL, messages: HELLO },
        { headers: { "x-api-key": "sk-secret", cookie: "a=b" } },
    );
    const seen = await mockJson("last");
    const headers = Object.fromEntries(seen.headers.map(([name, value]) => [name.toLowerCase(), value]));
    assert.equal(headers.authorization, "Bearer sk-mock");
    assert.ok(!("x-api-key" in headers) && !("cookie" in headers));
    assert.ok(!JSON.stringify(seen).includes("sk-client"));
});

test("responses, plain", async () => {
    const answer = await client.responses.create({ model: MODEL, input: "Hello" });
    assert.equal(answer.status, "completed");
    assert.ok(answer.output_text.length > 0);
    assert.ok(answer.usage.total_tokens > 0);
});

test("responses, streamed", async () => {
    const stream = await client.responses.create({ model: MODEL, input: "Hello", stream: true });
    const types = [];
    let text = "";
    let completed;
    for await (const event of stream) {
        types.push(event.type);
        text += event.type === "response.output_text.delta" ? event.delta : "";
        completed = event.type === "response.completed" ? event.response : completed;
    }
    assert.equal(types[0], "response.created");
    assert.equal(types.at(-1), "response.completed");
    assert.ok(text.length > 0);
    assert.equal(completed.output[0].content[0].text, text);
});

test("responses, structured output with zod", async () => {
    const answer = await client.responses.parse({
        model: MODEL,
        input: "Hello",
        text: { format: zodTextFormat(Event, "event") },
    });
    assert.doesNotThrow(() => Event.parse(answer.output_parsed));
});

test("forty streams at once keep apart", async () => {
    const ask = async (number) => {
        const content = `question ${number} `.repeat(20);
        const stream = await client.chat.completions.create(
            { model: MODEL, messages: [{ role: "user", content }], stream: true },
            knobs({ echo: 1, chunks: 20 }),
        );
        assert.equal(await textOf(stream), content);
    };
    await Promise.all(Array.from({ length: 40 }, (_, number) => ask(number)));
});
